/** Environment variables for a run with a real vault. The names are those of the Azure SDK and of the document. */

/** In the order in which the error message lists them. */
export const REQUIRED_VARIABLES = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZUREKEYVAULT_NAME"] as const;

export interface LiveSettings {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly vault: string;
  /** `LIVE_CLOUD_NAME`. Empty for the public cloud. */
  readonly cloudName: string;
  /** `LIVE_MAY_WRITE=true`: the run sets, rotates, deletes and purges a secret of its own. Otherwise nothing in the vault changes. */
  readonly mayWrite: boolean;
  /** `LIVE_SECRET_NAME`: an existing secret, for runs that may not write. */
  readonly secretName: string;
}

export type LiveRun =
  | { readonly kind: "run"; readonly settings: LiveSettings }
  /** `isMistake`: some variables are set, so the user intended a run. */
  | { readonly kind: "skipped"; readonly message: string; readonly isMistake: boolean };

type Environment = Readonly<Record<string, string | undefined>>;

export function readLiveSettings(environment: Environment): LiveRun {
  const valueOf = (name: string) => environment[name] ?? "";
  const missing = REQUIRED_VARIABLES.filter((name) => valueOf(name) === "");
  if (missing.length > 0) {
    const message = `SKIPPED: needs ${missing.join(", ")} (a service principal that may read the vault AZUREKEYVAULT_NAME)`;
    return { kind: "skipped", message, isMistake: missing.length < REQUIRED_VARIABLES.length };
  }
  const settings = {
    tenantId: valueOf("AZURE_TENANT_ID"),
    clientId: valueOf("AZURE_CLIENT_ID"),
    clientSecret: valueOf("AZURE_CLIENT_SECRET"),
    vault: valueOf("AZUREKEYVAULT_NAME"),
    cloudName: valueOf("LIVE_CLOUD_NAME"),
    mayWrite: valueOf("LIVE_MAY_WRITE") === "true",
    secretName: valueOf("LIVE_SECRET_NAME") || "DemoSecret",
  };
  return { kind: "run", settings };
}

/** Returns the variables that the processes under test need to reach the vault, as in a cluster behind a proxy. */
export function outboundEnvironment(environment: Environment): Readonly<Record<string, string>> {
  const names = Object.keys(environment).filter((name) => /^(?:(?:https?|all|no)_proxy|NODE_EXTRA_CA_CERTS)$/i.test(name));
  return Object.fromEntries(names.map((name) => [name, environment[name] ?? ""]));
}
