"""The same EDA as `npm run bench:eda`, as a Python user would do it: datasets, tokenizers, pandas. Prints one JSON object."""
import glob, json, os, resource, sys, time

os.environ["TOKENIZERS_PARALLELISM"] = "true"
folder, vocabulary = sys.argv[1:3]
began = time.time()
import pandas as pd
from tokenizers import ByteLevelBPETokenizer

frames = []
for path in sorted(glob.glob(os.path.join(folder, "test", "mmlu_*.csv"))):
    frame = pd.read_csv(path, keep_default_na=False, dtype=str)
    frame["language"] = os.path.basename(path)[5:10]
    frames.append(frame)
rows = pd.concat(frames, ignore_index=True)
loaded = time.time()
tokenizer = ByteLevelBPETokenizer(os.path.join(vocabulary, "vocab.json"), os.path.join(vocabulary, "merges.txt"))
whole = ("Question: " + rows.Question + "\nChoices:\nA: " + rows.A + "\nB: " + rows.B + "\nC: " + rows.C + "\nD: " + rows.D).tolist()


def count(texts):
    lengths = []
    for start in range(0, len(texts), 1024):
        lengths += [len(e) for e in tokenizer.encode_batch(texts[start : start + 1024], add_special_tokens=False)]
    return pd.Series(lengths)


question, both = count(rows.Question.tolist()), count(whole)
tables = [question.describe(), both.describe(), (both <= 256).mean(), rows.groupby("Subject").Answer.value_counts(), rows.language.value_counts(), rows.isna().sum()]
ended = time.time()
print(json.dumps({"rows": len(rows), "loadSeconds": loaded - began, "exploreSeconds": ended - loaded, "seconds": ended - began, "peakGiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, "meanTokens": both.mean()}))
