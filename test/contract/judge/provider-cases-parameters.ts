/** Parameters of a class, the order of their checks, and the messages about each. */
import { item, type ProviderCase } from "./provider-case.ts";
import type { ProviderRow } from "./spec-rows.ts";

const FLAGS = ["usePodIdentity", "useVMManagedIdentity", "useAzureTokenProxy"] as const;

type Parameters = Readonly<Record<string, string | undefined>>;

const one = (id: string, rows: readonly ProviderRow[], parameters: Parameters): ProviderCase => ({ id, rows, parameters });

/** Every spelling that Go's ParseBool parses as false, and some that it rejects. */
const spellings: readonly ProviderCase[] = FLAGS.flatMap((flag) =>
  ["0", "f", "F", "FALSE", "false", "False", "", "  false\n", "fAlse", "no", "off", "tru", "yes", "2", "nul\tl", "„ja“"].map((text) =>
    one(`${flag} ${JSON.stringify(text)}`, ["step 3: flags", "Go's spellings of booleans", flag], { [flag]: text }),
  ),
);

const modes: readonly ProviderCase[] = [
  ["true", "1", ""],
  ["t", "", "T"],
  ["", "TRUE", "True"],
  ["true", "true", "true"],
].map((values) => {
  const parameters = Object.fromEntries(FLAGS.map((flag, index) => [flag, values[index]]));
  return one(`modes ${values.join("/")}`, ["step 4: one identity mode", "Go's spellings of booleans"], parameters);
});

const required: readonly ProviderCase[] = [
  one("no vault name", ["step 5: vault name present", "keyvaultName"], { keyvaultName: undefined }),
  one("empty vault name", ["step 5: vault name present"], { keyvaultName: "" }),
  one("blank vault name", ["step 5: vault name present", "parameter values are trimmed"], { keyvaultName: " \t\n" }),
  one("vault name in wrong case", ["parameter keys are case-sensitive"], { keyvaultName: undefined, keyVaultName: "$VAULT" }),
  one("no tenant", ["step 6: tenant", "tenantID and tenantId"], { tenantID: undefined }),
  one("blank tenant", ["step 6: tenant", "tenantID and tenantId"], { tenantID: " " }),
  one("blank tenants", ["step 6: tenant"], { tenantID: " ", tenantId: "\t" }),
  one("tenant in wrong case", ["parameter keys are case-sensitive"], { tenantID: undefined, tenantid: "$TENANT" }),
  one("old tenant spelling", ["tenantID and tenantId"], { tenantID: undefined, tenantId: "$TENANT" }),
  one("blank tenant, old spelling", ["tenantID and tenantId"], { tenantID: "", tenantId: "$TENANT" }),
  one("both tenants", ["tenantID wins over tenantId"], { tenantId: "f0000000-0000-0000-0000-000000000000" }),
  one("no objects", ["step 9: objects present", "objects"], { objects: undefined }),
  one("blank objects", ["step 9: objects present"], { objects: " \n\t " }),
  one("objects in wrong case", ["parameter keys are case-sensitive"], { objects: undefined, Objects: "array: []" }),
  one("values with blanks", ["parameter values are trimmed", "keyvaultName"], { keyvaultName: " $VAULT\n", tenantID: "\t$TENANT " }),
  one("values with unusual blanks", ["parameter values are trimmed"], {
    keyvaultName: "\u00a0$VAULT\u2003",
    tenantID: "\u0085$TENANT\u3000",
  }),
  one("a mark that is no blank", ["parameter values are trimmed", "step 13: vault name shape"], { keyvaultName: "\ufeff$VAULT" }),
  one("a parameter of the worker", ["unknown parameters are ignored"], { secretData: "{}" }),
  one("old parameters", ["unknown parameters are ignored"], {
    resourceGroup: "group",
    subscriptionId: "none",
    useManagedIdentity: "maybe",
    secretProviderClass: "class",
  }),
];

const clouds: readonly ProviderCase[] = [
  "AzureMoonCloud",
  "public",
  "azure cloud",
  "AzurePublicCloud.",
  "Ünïcode",
  "Großeﬁǰ",
  "azureſtackcloud",
  "ıK",
  'quote"d',
  "tab\tbed",
].map((cloudName) => one(`cloud ${JSON.stringify(cloudName)}`, ["step 7: cloud", "cloudName"], { cloudName }));

const knownClouds: readonly ProviderCase[] = [
  "",
  " ",
  "AzurePublicCloud",
  "azurepubliccloud",
  "AZUREPUBLICCLOUD",
  "AzureCloud",
  "aZURecLOUD",
].map((cloudName) =>
  one(`cloud ${JSON.stringify(cloudName)} is the public one`, ["cloudName", "AzurePublicCloud and its alias"], { cloudName }),
);

const names = [
  "ab",
  "a",
  "a".repeat(25),
  "ä",
  "über",
  "my_vault",
  "vault.",
  "https://vault",
  'a"b',
  "a\\b",
  "a\nb",
  "日本語",
  "v\u0000x",
  "\u{1f600}x",
];

const vaultNames: readonly ProviderCase[] = names.flatMap((keyvaultName) => [
  one(`vault ${JSON.stringify(keyvaultName)}`, ["step 13: vault name shape", "keyvaultName"], { keyvaultName }),
  ...(names.indexOf(keyvaultName) < 3
    ? [
        one(
          `vault ${JSON.stringify(keyvaultName)} without objects`,
          ["step 13 only with an object", "no objects is success with nothing"],
          {
            keyvaultName,
            objects: "array: []",
          },
        ),
      ]
    : []),
]);

const tenants: readonly ProviderCase[] = ["a b", "a/b", "tenant?", "ten_ant", "täntchen", "{tenant}"].map((tenantID) =>
  one(`tenant ${JSON.stringify(tenantID)}`, ["step 14: client"], { tenantID }),
);

/** Each has the mistakes of all later steps too. */
const ORDER: readonly (readonly [string, Parameters])[] = [
  ["flag before mode", { usePodIdentity: "maybe", useVMManagedIdentity: "true", useAzureTokenProxy: "true", keyvaultName: "" }],
  ["first flag before second", { usePodIdentity: "x", useVMManagedIdentity: "y", useAzureTokenProxy: "z" }],
  ["second flag before third", { useVMManagedIdentity: "y", useAzureTokenProxy: "z" }],
  ["mode before vault name", { usePodIdentity: "true", useVMManagedIdentity: "true", keyvaultName: "" }],
  ["vault name before tenant", { keyvaultName: "", tenantID: "", cloudName: "x" }],
  ["tenant before cloud", { tenantID: "", cloudName: "x", objects: "" }],
  ["cloud before objects", { cloudName: "x", objects: "" }],
  ["objects before vault name shape", { objects: "", keyvaultName: "a" }],
  ["object before vault name shape", { objects: `array:\n - "objectType: secret"`, keyvaultName: "a" }],
  ["vault name shape before tenant shape", { keyvaultName: "a", tenantID: "a b" }],
  ["vault name shape before object type", { keyvaultName: "a", objects: `array:\n - "objectName: x"` }],
  ["tenant shape before object type", { tenantID: "a b", objects: `array:\n - "objectName: x"` }],
];

const order = ORDER.map(([id, parameters]) => one(id, ["the first failure alone is reported, in this order"], parameters));

const credentials: readonly ProviderCase[] = [
  {
    id: "no Secret before cloud",
    rows: ["the first failure alone is reported, in this order"],
    parameters: { cloudName: "x" },
    credentials: null,
  },
  { id: "no Secret before objects", rows: ["step 8: auth config, before objects"], parameters: { objects: undefined }, credentials: null },
  {
    id: "no Secret before a bad object",
    rows: ["step 8: auth config, before objects"],
    objects: [item("secret", "..")],
    credentials: null,
  },
];

const nothing: readonly ProviderCase[] = [
  "array:",
  "array: []",
  "{}",
  "other: x",
  "# nothing",
  "array: null",
  "~",
  "---",
  "array: [null, ~]",
].map((text) => ({
  id: `objects ${JSON.stringify(text)} is nothing`,
  rows: ["no objects is success with nothing"],
  objects: text,
}));

export const PARAMETER_CASES: readonly ProviderCase[] = [
  ...spellings,
  ...modes,
  ...required,
  ...clouds,
  ...knownClouds,
  ...vaultNames,
  ...tenants,
  ...order,
  ...credentials,
  ...nothing,
];
