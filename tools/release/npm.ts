/**
 * Environment for npm as in the user's shell. `tools/bootstrap.mjs` removes the settings for the registry (proxy, CA, npm's settings) from
 * its children's environment.
 */
export function npmEnvironment(): NodeJS.ProcessEnv {
  const kept: Readonly<Record<string, string>> = JSON.parse(process.env["KEYVAULT_INJECTOR_NPM_ENVIRONMENT"] ?? "{}");
  return { ...process.env, ...kept };
}
