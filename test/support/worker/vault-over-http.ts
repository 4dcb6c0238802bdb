import type { SecretClientOptions } from "@azure/keyvault-secrets";
import { sdkNetwork } from "../../../src/azure/sdk-network.ts";
import type { shareSignIn } from "../../../src/azure/shared-sign-in.ts";
import { createVaultClient } from "../../../src/azure/vault-client.ts";
import type { VaultAddress, VaultClient } from "../../../src/domain/ports/vault-client.ts";

type Credential = Parameters<typeof shareSignIn>[0];
type HttpClient = NonNullable<SecretClientOptions["httpClient"]>;

/** A request of the SDK, and its answer. */
export type SentRequest = Parameters<HttpClient["sendRequest"]>[0];
export type SdkAnswer = Awaited<ReturnType<HttpClient["sendRequest"]>>;
export type SendRequest = HttpClient["sendRequest"];

export const VAULT_URL = "https://kv.vault.azure.net/";
export const TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47";

const CHALLENGE = `Bearer authorization="https://login.microsoftonline.com/${TENANT}", resource="https://vault.azure.net"`;

/** A JSON answer in Key Vault's form. */
export function answerTo(request: SentRequest, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): SdkAnswer {
  const all = new Map(Object.entries({ "content-type": "application/json", ...headers }));
  return {
    request,
    status,
    bodyAsText: JSON.stringify(body),
    headers: {
      get: (name) => all.get(name.toLowerCase()),
      has: (name) => all.has(name.toLowerCase()),
      set: (name, value) => all.set(name.toLowerCase(), String(value)),
      delete: (name) => all.delete(name.toLowerCase()),
      toJSON: () => Object.fromEntries(all),
      [Symbol.iterator]: () => all[Symbol.iterator](),
    },
  };
}

/** Answer of a vault to a request without a token. Undefined if the request has one. */
export function challengeTo(request: SentRequest): SdkAnswer | undefined {
  return request.headers.get("authorization") === undefined ? answerTo(request, 401, {}, { "www-authenticate": CHALLENGE }) : undefined;
}

/** A token for every scope that never expires. */
const CREDENTIAL: Credential = { getToken: async () => ({ token: "t", expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };

interface Behind {
  readonly address?: Partial<VaultAddress>;
  readonly credential?: Credential;
  /** Called when the vault rejects the token. */
  readonly forget?: () => void;
}

/** The adapter with the official SDK, and with `sendRequest` in place of the network. */
export function vaultOverHttp(
  sendRequest: SendRequest,
  { address = {}, credential = CREDENTIAL, forget = () => undefined }: Behind = {},
): VaultClient {
  const network = Object.assign(sdkNetwork(undefined), { httpClient: { sendRequest } });
  const whole = { vaultUrl: VAULT_URL, authorityHost: "https://login.microsoftonline.com/", tenantId: TENANT, ...address };
  const signIn = { credential, assertion: { issuer: undefined }, forget };
  return createVaultClient(whole, { kind: "managedIdentity", clientId: undefined }, { network, signIn });
}
