"""Getting the dataset: from its mirror on the Hugging Face Hub to folders of film files.

Read in the order of the bytes: `remote` (what the mirror holds, and a download that continues
where it was cut off), `shards` (one parquet file -> films), `store` (films -> a folder, never
half-written), then the two commands `data_command` and `examples_command`.
"""
