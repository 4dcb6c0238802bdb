/** Identities that query the vault, and clouds. */
import { item, type ProviderCase } from "./provider-case.ts";
import type { ProviderRow } from "./spec-rows.ts";

const SECRET = [item("secret", "secret1")];

type Given = Readonly<Record<string, string>> | null;

const servicePrincipal: readonly (readonly [string, readonly ProviderRow[], Given])[] = [
  ["as documented", ["service principal without flag and clientID"], { clientid: "$ID", clientsecret: "$SECRET" }],
  ["in camel case", ["service principal: keys in any case"], { clientID: "$ID", clientSecret: "$SECRET" }],
  ["in capitals", ["service principal: keys in any case"], { CLIENTID: "$ID", CLIENTSECRET: "$SECRET" }],
  ["with others", ["service principal: keys in any case"], { clientid: "$ID", clientsecret: "$SECRET", tenantid: "x" }],
  ["no Secret", ["service principal: no Secret"], null],
  ["empty", ["service principal: no clientid"], {}],
  ["others alone", ["service principal: no clientid"], { id: "$ID", secret: "$SECRET" }],
  ["empty clientid", ["service principal: no clientid"], { clientid: "", clientsecret: "$SECRET" }],
  ["no clientsecret", ["service principal: no clientsecret"], { clientid: "$ID" }],
  ["empty clientsecret", ["service principal: no clientsecret"], { clientid: "$ID", clientsecret: "" }],
  ["neither value", ["service principal: no clientid"], { clientid: "", clientsecret: "" }],
  ["wrong clientsecret", ["step 15: fetch"], { clientid: "$ID", clientsecret: "wrong" }],
  ["unknown clientid", ["step 15: fetch"], { clientid: "f0000000-0000-0000-0000-000000000000", clientsecret: "$SECRET" }],
];

const SERVICE_PRINCIPAL: readonly ProviderCase[] = servicePrincipal.map(([id, rows, credentials]) => ({
  id: `service principal, ${id}`,
  rows: [...rows, "step 8: auth config, before objects" as const],
  objects: SECRET,
  credentials,
}));

const AUDIENCE = "api://AzureADTokenExchange";
const BINDING = "api://AKSIdentityBinding";
const tokens = (audience: string, token = "$TOKEN"): string =>
  JSON.stringify({ [audience]: { token, expirationTimestamp: "2030-01-01T00:00:00Z" } });

type More = Omit<ProviderCase, "id" | "rows">;
const one = (id: string, rows: readonly ProviderRow[], more: More): ProviderCase => ({
  id,
  rows,
  objects: SECRET,
  credentials: null,
  ...more,
});

/** The provider gets tokens with a pod's mount. Our side requests its own, so that they are never missing. */
const WITHOUT_A_POD = "without-a-pod";

const WORKLOAD_IDENTITY: readonly ProviderCase[] = [
  one("workload identity", ["workload identity with clientID and token", "clientID"], {
    parameters: { clientID: "$FEDERATED" },
    tokens: tokens(AUDIENCE),
  }),
  one("workload identity, blanks", ["workload identity with clientID and token", "parameter values are trimmed"], {
    parameters: { clientID: " $FEDERATED\n" },
    tokens: ` ${tokens(AUDIENCE)}\n`,
  }),
  one("workload identity before a service principal", ["workload identity with clientID and token"], {
    parameters: { clientID: "$FEDERATED" },
    tokens: tokens(AUDIENCE),
    credentials: { clientid: "$ID", clientsecret: "wrong" },
  }),
  one("workload identity, another subject", ["workload identity with clientID and token"], {
    parameters: { clientID: "$FEDERATED" },
    tokens: tokens(AUDIENCE, "$OTHER_SUBJECT"),
    token: "$OTHER_SUBJECT",
  }),
  one("workload identity, an application without trust", ["workload identity with clientID and token"], {
    parameters: { clientID: "$ID" },
    tokens: tokens(AUDIENCE),
  }),
  one("workload identity before bad objects", ["step 8: auth config, before objects"], {
    parameters: { clientID: "$FEDERATED" },
    tokens: tokens(AUDIENCE),
    objects: "- x",
  }),
  one("blank clientID is none", ["service principal without flag and clientID"], {
    parameters: { clientID: " " },
    credentials: { clientid: "$ID", clientsecret: "$SECRET" },
  }),
  one("no tokens", ["workload identity: no tokens"], { parameters: { clientID: "$FEDERATED" }, listed: WITHOUT_A_POD }),
  one("a token of another audience", ["workload identity: no token of the audience"], {
    parameters: { clientID: "$FEDERATED" },
    tokens: tokens(BINDING),
    listed: WITHOUT_A_POD,
  }),
  one("tokens that are no JSON", ["workload identity: no token of the audience"], {
    parameters: { clientID: "$FEDERATED" },
    tokens: "{",
    listed: WITHOUT_A_POD,
  }),
  one("a token that is not needed", ["the token is parsed whenever clientID is set"], {
    parameters: { clientID: "$FEDERATED", useVMManagedIdentity: "true", userAssignedIdentityID: "$USER" },
    listed: WITHOUT_A_POD,
  }),
  one("no pod name", ["pod facts"], {
    pod: { "csi.storage.k8s.io/pod.namespace": "test" },
    credentials: { clientid: "$ID", clientsecret: "$SECRET" },
    listed: WITHOUT_A_POD,
  }),
  one("no pod namespace", ["pod facts"], {
    pod: { "csi.storage.k8s.io/pod.name": "pod" },
    credentials: { clientid: "$ID", clientsecret: "$SECRET" },
    listed: WITHOUT_A_POD,
  }),
];

const MANAGED_IDENTITY: readonly ProviderCase[] = [
  one("managed identity of the machine", ["managed identity", "a flag decides first", "useVMManagedIdentity"], {
    parameters: { useVMManagedIdentity: "true" },
  }),
  one("managed identity by its id", ["managed identity", "userAssignedIdentityID"], {
    parameters: { useVMManagedIdentity: "1", userAssignedIdentityID: " $USER " },
  }),
  one("managed identity that is not assigned", ["managed identity", "userAssignedIdentityID"], {
    parameters: { useVMManagedIdentity: "t", userAssignedIdentityID: "f0000000-0000-0000-0000-000000000000" },
  }),
  one("userAssignedIdentityID without the flag", ["userAssignedIdentityID", "service principal without flag and clientID"], {
    parameters: { userAssignedIdentityID: "$USER" },
    credentials: { clientid: "$ID", clientsecret: "$SECRET" },
  }),
  one("managed identity before a wrong service principal", ["a flag decides first"], {
    parameters: { useVMManagedIdentity: "TRUE" },
    credentials: { clientid: "$ID", clientsecret: "wrong" },
  }),
  one("managed identity without a tenant", ["step 6: tenant"], { parameters: { useVMManagedIdentity: "true", tenantID: undefined } }),
  one("managed identity with a wrong tenant", ["managed identity", "step 14: client"], {
    parameters: { useVMManagedIdentity: "true", tenantID: "a b" },
  }),
];

/** Identity modes that only a pod's mount can use. */
const IDENTITY_MODES = "identity-modes";

const OTHERS: readonly ProviderCase[] = [
  one("identity binding without clientID", ["identity binding: clientID and tokens required", "useAzureTokenProxy"], {
    parameters: { useAzureTokenProxy: "true" },
  }),
  one("identity binding without tokens", ["identity binding: clientID and tokens required"], {
    parameters: { useAzureTokenProxy: "true", clientID: "$FEDERATED" },
    listed: IDENTITY_MODES,
  }),
  one("identity binding without its token", ["identity binding: clientID and tokens required"], {
    parameters: { useAzureTokenProxy: "true", clientID: "$FEDERATED" },
    tokens: tokens(AUDIENCE),
    listed: IDENTITY_MODES,
  }),
  one("identity binding", ["identity binding: clientID and tokens required", "a flag decides first"], {
    parameters: { useAzureTokenProxy: "true", clientID: "$FEDERATED" },
    tokens: tokens(BINDING),
    listed: IDENTITY_MODES,
  }),
  one("pod identity", ["pod identity", "usePodIdentity", "a flag decides first"], {
    parameters: { usePodIdentity: "true" },
    listed: IDENTITY_MODES,
  }),
];

const CLOUDS = [
  ["AzurePublicCloud and its alias", "public", "AzurePublicCloud", "AZURECLOUD"],
  ["AzureUSGovernmentCloud and its alias", "us-government", "AzureUSGovernmentCloud", "azureusgovernment", " AZUREUSGOVERNMENTCLOUD "],
  ["AzureChinaCloud", "china", "AzureChinaCloud", "azurechinacloud"],
  ["AzureGermanCloud", "germany", "AzureGermanCloud", "AZUREGERMANCLOUD"],
] as const;

const CLOUD_CASES: readonly ProviderCase[] = CLOUDS.flatMap(([row, cloud, ...names]) =>
  names.flatMap((cloudName, index): readonly ProviderCase[] => [
    { id: cloudName, rows: [row, "cloudName"], parameters: { cloudName }, cloud, objects: SECRET },
    // The node is in the public cloud, so that its identities are for that cloud.
    ...(index > 0
      ? []
      : [
          {
            id: `${cloudName}, managed identity`,
            rows: [row, "managed identity" as const],
            parameters: { cloudName, useVMManagedIdentity: "true" },
            cloud,
            objects: SECRET,
          },
        ]),
  ]),
);

const TENANTS: readonly ProviderCase[] = ["f0000000-0000-0000-0000-000000000000", "other", "common"].map((tenantID) => ({
  id: `another tenant, ${tenantID}`,
  rows: ["step 15: fetch"],
  parameters: { tenantID },
  objects: SECRET,
}));

const DOMAIN_ROWS = ["tenantID and tenantId", "step 15: fetch"] as const;

const DOMAINS: readonly ProviderCase[] = [
  ...["contoso.onmicrosoft.com", "Contoso.OnMicrosoft.com", "nowhere.example"].map((tenantID) => ({
    id: `a tenant by its domain, ${tenantID}`,
    rows: DOMAIN_ROWS,
    parameters: { tenantID },
    objects: SECRET,
  })),
  one("workload identity, a tenant by its domain", DOMAIN_ROWS, {
    parameters: { clientID: "$FEDERATED", tenantID: "contoso.onmicrosoft.com" },
    tokens: tokens(AUDIENCE),
  }),
];

const VAULTS: readonly ProviderCase[] = ["absent-vault", "x".repeat(24), "abc"].map((keyvaultName) => ({
  id: `a vault that does not exist, ${keyvaultName}`,
  rows: ["step 15: fetch", "keyvaultName"],
  parameters: { keyvaultName },
  objects: SECRET,
}));

export const SIGN_IN_CASES: readonly ProviderCase[] = [
  ...SERVICE_PRINCIPAL,
  ...WORKLOAD_IDENTITY,
  ...MANAGED_IDENTITY,
  ...OTHERS,
  ...CLOUD_CASES,
  ...TENANTS,
  ...DOMAINS,
  ...VAULTS,
];
