/** For npm as the user would run it: `tools/bootstrap.mjs` takes the way to the registry (proxy, CA, npm's settings) out of what it starts. */
export function npmEnvironment(): NodeJS.ProcessEnv {
  const kept: Readonly<Record<string, string>> = JSON.parse(process.env["KEYVAULT_INJECTOR_NPM_ENVIRONMENT"] ?? "{}");
  return { ...process.env, ...kept };
}
