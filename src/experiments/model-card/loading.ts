import { rowTexts } from "../../answer/index.js";
import type { CardRun } from "./run.js";

/** A question to show the prompt with. */
const EXAMPLE = { question: "Wie viele Minuten hat eine Stunde?", choices: ["30", "45", "60", "90"] };

/**
 * Python that loads the model with transformers (and PEFT), and asks it one question as it was asked in training. It
 * runs in the folder as it is.
 */
export function loadingPython(run: CardRun): string {
  const { configuration, saved, base, facts } = run;
  const { model, evaluation, prompt } = configuration;
  const auto = saved.encoderDecoder ? "AutoModelForSeq2SeqLM" : "AutoModelForCausalLM";
  const fourBit = saved.adapter && ["fp4", "nf4"].includes(model.quantization);
  const revision = base === facts.model.source && facts.model.commit ? `, revision=${text(facts.model.commit)}` : "";
  const quantization = fourBit
    ? [
        "# the base as it was held in training; leave quantization_config out for the weights as they are stored",
        "quantization = BitsAndBytesConfig(",
        `    load_in_4bit=True, bnb_4bit_quant_type=${text(model.quantization)}, ` +
          `bnb_4bit_use_double_quant=${model.doubleQuantization ? "True" : "False"}`,
        ")",
      ]
    : [];
  const load = saved.adapter
    ? [
        ...quantization,
        `base = ${auto}.from_pretrained(${text(base ?? saved.base ?? model.source)}${revision}` +
          `${fourBit ? ", quantization_config=quantization" : ""})`,
        "model = PeftModel.from_pretrained(base, here).eval()",
      ]
    : [`model = ${auto}.from_pretrained(here).eval()`];
  return [
    ...(saved.adapter ? ["from peft import PeftModel"] : []),
    `from transformers import ${[auto, "AutoTokenizer", ...(fourBit ? ["BitsAndBytesConfig"] : [])].join(", ")}`,
    "",
    'here = "."  # this folder, or the id of its repository',
    "tokenizer = AutoTokenizer.from_pretrained(here)",
    ...load,
    `prompt = ${text(rowTexts[prompt](EXAMPLE))}`,
    'inputs = tokenizer(prompt, return_tensors="pt", return_token_type_ids=False).to(model.device)',
    `output = model.generate(**inputs, max_new_tokens=${evaluation.maxNewTokens}, do_sample=False)[0]`,
    ...(saved.encoderDecoder ? [] : ['output = output[inputs["input_ids"].shape[1]:]']),
    "print(tokenizer.decode(output, skip_special_tokens=True))",
  ].join("\n");
}

/** A Python string: JSON's strings are some. */
const text = (value: string): string => JSON.stringify(value);
