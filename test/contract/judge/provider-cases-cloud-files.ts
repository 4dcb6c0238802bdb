/**
 * Clouds that a file describes. The cases run one after the other, because the provider keeps the file's name in a variable of its process.
 */
import { item, type ProviderCase } from "./provider-case.ts";

const COMPLETE = {
  name: "AzureStackCloud",
  activeDirectoryEndpoint: "https://login.cloud.example/",
  keyVaultEndpoint: "https://vault.cloud.example/",
  keyVaultDNSSuffix: "vault.cloud.example",
};

/** Contents by name. */
export const CLOUD_FILES: Readonly<Record<string, string>> = {
  "complete.json": JSON.stringify(COMPLETE),
  "more.json": JSON.stringify({
    ...COMPLETE,
    managementPortalURL: "https://portal.cloud.example/",
    resourceIdentifiers: { keyVault: "x" },
    own: [1],
  }),
  "case.json": JSON.stringify(Object.fromEntries(Object.entries(COMPLETE).map(([key, value]) => [key.toUpperCase(), value]))),
  "bom.json": `\ufeff${JSON.stringify(COMPLETE)}`,
  "cut.json": JSON.stringify(COMPLETE).slice(0, 60),
  "empty.json": "",
  "text.json": "name: AzureStackCloud",
  "list.json": "[]",
  "number.json": JSON.stringify({ ...COMPLETE, keyVaultEndpoint: 5 }),
  "incomplete.json": JSON.stringify({ ...COMPLETE, keyVaultDNSSuffix: undefined }),
  "tail.json": `${JSON.stringify(COMPLETE)} x`,
};

const ROWS = ["AzureStackCloud from a file", "cloudEnvFileName"] as const;
const SECRET = [item("secret", "secret1")];

const stack = (id: string, cloudEnvFileName: string | undefined, more: Partial<ProviderCase> = {}): ProviderCase => ({
  id: `cloud file, ${id}`,
  rows: ROWS,
  parameters: { cloudName: "AzureStackCloud", cloudEnvFileName },
  objects: SECRET,
  cloud: "private",
  setting: "cloud files",
  ...more,
});

/** The provider asks the public cloud whether it knows the authority, reads any path, and guesses missing fields. */
const DISCOVERY = { listed: "custom-cloud" } as const;

export const CLOUD_FILE_CASES: readonly ProviderCase[] = [
  // First, while the provider has no name yet.
  stack("no name", undefined),
  stack("blank name", " "),
  stack("complete", "complete.json", DISCOVERY),
  stack("complete, blanks around", " complete.json\n", DISCOVERY),
  stack("cloud name in another case", "complete.json", {
    ...DISCOVERY,
    parameters: { cloudName: "azurestackcloud", cloudEnvFileName: "complete.json" },
  }),
  stack("more members", "more.json", DISCOVERY),
  stack("members in another case", "case.json", DISCOVERY),
  stack("byte order mark", "bom.json"),
  stack("absent", "absent.json"),
  ...["cut", "empty", "text", "list", "number", "tail"].map((name) => stack(name, `${name}.json`)),
  stack("without the vaults' domain", "incomplete.json", DISCOVERY),
  stack("tenant adfs", undefined, {
    parameters: { cloudName: "AzureStackCloud", cloudEnvFileName: "complete.json", keyvaultName: "$ADFS_VAULT", tenantID: "adfs" },
    credentials: { clientid: "$ADFS_ID", clientsecret: "$ADFS_SECRET" },
  }),
  stack("in a folder", "./complete.json", DISCOVERY),
  stack("a file for another cloud's name is not read", "absent.json", {
    parameters: { cloudName: "AzurePublicCloud", cloudEnvFileName: "absent.json" },
    cloud: "public",
  }),
];
