/*
 * What every test starts from, whatever the machine has set: no proxy, no account, no cache's place and no colour of its user's. Locale, time
 * zone and cores stay as they are: the product must hold with any; so does what names data and programs for tests (MMMLU_TEST_…,
 * MMMLU_LAB_SHARED). A test that is about a variable sets it.
 */
const OTHERS =
  /^((https?|all|no)_proxy|(hf|huggingface|huggingfacehub|transformers|wandb|lmstudio|openai|mmmlu(?!_(test|lab_shared))|npm_config)_.*|xdg_cache_home|(no|force)_color|clicolor.*|columns|lines|node_options|node_extra_ca_certs)$/i;

for (const name of Object.keys(process.env)) if (OTHERS.test(name)) delete process.env[name];
