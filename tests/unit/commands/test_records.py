"""An image's name never runs as a formula in a spreadsheet."""

from pneumo.commands.records import plain

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "\u00a0=1", "\ufeff=1",
            "=HYPERLINK(\"http://evil.example\",\"x\")", "=cmd|' /C calc'!A0", "\tx", " \t @x", "-",
            "\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20SUM(A1)", "\u3000\uff1d1", "\ufe661",
            "\x01=1", "\u200b=1")  # fmt: skip
HARMLESS = ("", "film.png", "ward/=1.png", "1-2", "x=1", "'=1", " a", "NORMAL", "\u0394", "a\tb",
            "\uff21", "\u3000a")  # fmt: skip


def test_formulas_are_made_text_and_all_else_is_left():
    assert [plain(text) for text in FORMULAS] == [f"'{text}" for text in FORMULAS]
    for value in (*HARMLESS, -0.5, -3, 0.25, None, True):
        assert plain(value) is value
