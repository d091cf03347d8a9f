import { wandbSettings } from "../../record/index.js";
import type { Check } from "./check.js";

export const wandb: Check = {
  name: "Weights & Biases",
  async look({ environment }) {
    const name = "Weights & Biases";
    const { apiKey, baseUrl, complaints } = wandbSettings("online", { name: "", project: "" }, environment);
    if (complaints.length)
      return [
        { name, state: "broken", what: complaints.join("; "), neededFor: "--wandb", mend: "correct the variable" },
      ];
    return apiKey === undefined
      ? [
          {
            name,
            state: "missing",
            what: "no key",
            neededFor: "--wandb online (--wandb offline needs none)",
            mend: "set WANDB_API_KEY, or: wandb login",
          },
        ]
      : [{ name, state: "ok", what: `a key for ${baseUrl}` }];
  },
};
