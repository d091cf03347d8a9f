/** What a server says of a chat that its model's template cannot make a prompt of, and what to do. */
const TEMPLATE_ERRORS: readonly { readonly words: RegExp; readonly hint: string }[] = [
  {
    // vLLM and transformers; SGLang and TGI say it in like words.
    words:
      /(provide|no|without|missing|lacks|define|have|find) (an? |the |any )?(default )?chat[ _-]?template|chat[ _-]?template (is |was )?(not |no longer |missing|required|undefined)|chat_template is not set/i,
    hint:
      "The model has no chat template, as base models have none: give the server one (vLLM: --chat-template), or " +
      "measure letters behind a plain text (mmmlu run mmmlu-lm-eval).",
  },
  {
    words:
      /system (role|message|prompt)s? (is |are )?(not |un)(supported|allowed)|(does not|doesn't) support (the )?system/i,
    hint: "The model's chat template takes no system message: send none (--set answerer.systemMessage=).",
  },
  {
    words: /conversation roles must alternate/i,
    hint:
      "The model's chat template takes turns of user and assistant alone: send no system message (--set " +
      "answerer.systemMessage=).",
  },
];

/** What to do about a chat that a template refuses; undefined where the words are about something else. */
export const hintForTemplate = (words: string): string | undefined =>
  TEMPLATE_ERRORS.find((one) => one.words.test(words))?.hint;
