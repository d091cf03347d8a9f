"""MMMLU's rows of one language as a task of Inspect, read from a file in the layout of openai/MMMLU."""

import csv

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import choice
from inspect_ai.solver import multiple_choice


@task
def mmmlu(path: str, language: str, subject: str, rows: int) -> Task:
    with open(path, encoding="utf-8", newline="") as file:
        found = [row for row in csv.DictReader(file) if row["Subject"] == subject][:rows]
    samples = [
        Sample(
            input=row["Question"],
            choices=[row[letter] for letter in "ABCD"],
            target=row["Answer"],
            metadata={"subject": row["Subject"], "language": language},
        )
        for row in found
    ]
    return Task(dataset=MemoryDataset(samples, name="mmmlu"), solver=multiple_choice(), scorer=choice())
