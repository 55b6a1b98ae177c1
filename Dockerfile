# The app with PyTorch's wheels for the processor: docker build -t pneumo . (see docs/deploying.md)
FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_TEMP_DIR=/tmp/gradio \
    MPLCONFIGDIR=/tmp/matplotlib \
    PNEUMO_CACHE=/app/graphs \
    HF_HOME=/tmp/huggingface

WORKDIR /app
COPY requirements.txt requirements-cpu.txt ./
RUN pip install --no-cache-dir --require-hashes --no-deps -r requirements-cpu.txt \
    && pip install --no-cache-dir -r requirements.txt

# Owned by root: what runs cannot change it.
COPY app.py LICENSE README.md ./
COPY pneumo pneumo
COPY checkpoints checkpoints
COPY examples examples
RUN mkdir graphs && python -m pneumo.models.export

USER 1000:1000
EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:7860/health', timeout=4)"]
CMD ["python", "app.py"]
