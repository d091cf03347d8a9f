// Makes the tables of configuration.md from the schema: npm run docs:configuration.
import { readFileSync, writeFileSync } from "node:fs";
import { configurationPage } from "../dist/experiments/index.js";

const page = new URL("configuration.md", import.meta.url);
writeFileSync(page, configurationPage(readFileSync(page, "utf8")));
