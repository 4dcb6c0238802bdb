import { CertificateClient, type KeyVaultCertificate } from "@azure/keyvault-certificates";
import { KeyClient } from "@azure/keyvault-keys";
import { SecretClient } from "@azure/keyvault-secrets";
import type { VaultAddress, VaultClient } from "../domain/ports/vault-client.ts";
import { VaultError } from "../domain/ports/vault-error.ts";
import type { VaultIdentity } from "../domain/ports/vault-identity.ts";
import type { VaultCertificate, VaultObject, VaultObjectKind } from "../domain/ports/vault-object.ts";
import { lazily } from "../runtime/lazily.ts";
import { absentPartPolicy } from "./absent-part.ts";
import { answerSizePolicy, ListedVersions, VAULT_ANSWER_BYTES } from "./answer-size.ts";
import { vaultApiVersion } from "./api-version.ts";
import { assertPathSegments, boundedRequest, notSent } from "./bounded-request.ts";
import { type Credential, RETRY_OPTIONS } from "./credential.ts";
import { errorBodyPolicy } from "./error-body-policy.ts";
import { firstAlone } from "./first-alone.ts";
import { SIGN_IN_TIMEOUT_MS } from "./guarded-sign-in.ts";
import { requestBoundPolicy } from "./request-bound.ts";
import type { SdkNetwork } from "./sdk-network.ts";
import type { SignIn } from "./sign-in.ts";
import {
  type ListedItem,
  type Properties,
  toListedObject,
  toVaultCertificate,
  toVaultKey,
  toVaultSecret,
  toVaultVersion,
} from "./vault-objects.ts";
import type { VaultRequest } from "./vault-request.ts";

/** Time limit of one request in milliseconds, with room for a slow proxy. A vault responds in well under a second. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Creates one SDK client for each kind of object. They share the credential, and with it the token. */
function createSdkClients(address: VaultAddress, given: Credential, { network, timeoutMs }: Required<VaultClientOptions>) {
  // The SDK checks that a vault's challenge requests a token for the Key Vault of its own cloud. This check stays on, except for clouds
  // that the operator describes: for them, the credential itself compares the challenge with the description.
  const isCustom = address.customScope !== undefined;
  const additionalPolicies = [
    ...network.additionalPolicies,
    errorBodyPolicy,
    absentPartPolicy,
    requestBoundPolicy(timeoutMs),
    answerSizePolicy(VAULT_ANSWER_BYTES),
    network.freshConnection,
  ];
  const options = { ...network, retryOptions: RETRY_OPTIONS, additionalPolicies, disableChallengeResourceVerification: isCustom };
  const credential = isCustom ? withCheckedScope(address, given) : given;
  const serviceVersion = vaultApiVersion(address);
  return {
    secrets: lazily(() => new SecretClient(address.vaultUrl, credential, { ...options, serviceVersion })),
    keys: lazily(() => new KeyClient(address.vaultUrl, credential, { ...options, serviceVersion })),
    certificates: lazily(() => new CertificateClient(address.vaultUrl, credential, { ...options, serviceVersion })),
  };
}

type SdkClients = ReturnType<typeof createSdkClients>;

type AskedFor = Pick<VaultRequest, "action" | "object" | "name" | "version">;

/** Makes one call with a time limit, and translates its errors. The response is read within the same limit. */
type Ask = <T>(what: AskedFor, call: (abortSignal: AbortSignal) => Promise<T>, signal: AbortSignal) => Promise<T>;

interface Headed {
  readonly headers: { get(name: string): string | undefined };
}

/** Adds the time of the response: the service's clock also sets an object's times. */
async function dated<T, Ours extends VaultObject>(
  call: (options: { readonly onResponse: (response: Headed) => void }) => Promise<T>,
  toOurs: (found: T) => Ours,
): Promise<Ours> {
  let answered = Number.NaN;
  const onResponse = ({ headers }: Headed): void => {
    answered = Date.parse(headers.get("date") ?? "");
  };
  const ours = toOurs(await call({ onResponse }));
  return Number.isNaN(answered) ? ours : { ...ours, answered };
}

const versionOption = (version: string | undefined) => (version === undefined ? {} : { version });

type Reads = Pick<VaultClient, "getSecret" | "getKey" | "getCertificate">;

function createReads({ secrets, keys, certificates }: SdkClients, ask: Ask): Reads {
  const action = "get";
  return {
    getSecret: (name, version, signal) =>
      ask(
        { action, object: "secret", name, version },
        (abortSignal) => dated((on) => secrets().getSecret(name, { abortSignal, ...on, ...versionOption(version) }), toVaultSecret),
        signal,
      ),
    getKey: (name, version, signal) =>
      ask(
        { action, object: "key", name, version },
        (abortSignal) => dated((on) => keys().getKey(name, { abortSignal, ...on, ...versionOption(version) }), toVaultKey),
        signal,
      ),
    getCertificate: (name, version, signal) =>
      ask(
        { action, object: "certificate", name, version },
        (abortSignal) =>
          dated<KeyVaultCertificate, VaultCertificate>(
            (on) =>
              version === undefined
                ? certificates().getCertificate(name, { abortSignal, ...on })
                : certificates().getCertificateVersion(name, version, { abortSignal, ...on }),
            toVaultCertificate,
          ),
        signal,
      ),
  };
}

type ListOptions = { readonly abortSignal: AbortSignal };

function objectPages({ secrets, keys, certificates }: SdkClients, kind: VaultObjectKind) {
  const open = {
    secret: (options: ListOptions) => secrets().listPropertiesOfSecrets(options).byPage(),
    key: (options: ListOptions) => keys().listPropertiesOfKeys(options).byPage(),
    certificate: (options: ListOptions) => certificates().listPropertiesOfCertificates(options).byPage(),
  };
  return open[kind] satisfies (options: ListOptions) => AsyncIterator<readonly ListedItem[]>;
}

function versionPages({ secrets, keys, certificates }: SdkClients, kind: VaultObjectKind, name: string) {
  const open = {
    secret: (options: ListOptions) => secrets().listPropertiesOfSecretVersions(name, options).byPage(),
    key: (options: ListOptions) => keys().listPropertiesOfKeyVersions(name, options).byPage(),
    certificate: (options: ListOptions) => certificates().listPropertiesOfCertificateVersions(name, options).byPage(),
  };
  return open[kind] satisfies (options: ListOptions) => AsyncIterator<readonly Properties[]>;
}

interface Listing<Item, Ours> {
  readonly what: AskedFor;
  readonly open: (options: ListOptions) => AsyncIterator<readonly Item[]>;
  /** May throw as the SDK does. `milliseconds` is the time that the page took. */
  readonly toOurs: (page: readonly Item[], milliseconds: number) => readonly Ours[];
  readonly signal: AbortSignal;
}

/** Yields pages. Each page is a call with a time limit of its own, requested only when the caller has taken the page before. */
async function* pagesOf<Item, Ours>(ask: Ask, { what, open, toOurs, signal }: Listing<Item, Ours>): AsyncGenerator<readonly Ours[]> {
  const ended = new AbortController();
  const pages = open({ abortSignal: AbortSignal.any([signal, ended.signal]) });
  const next = async (): Promise<readonly Ours[] | undefined> => {
    const began = performance.now();
    const page = await pages.next();
    return page.done === true ? undefined : toOurs(page.value, performance.now() - began);
  };
  try {
    for (;;) {
      const page = await ask(what, next, signal);
      if (page === undefined) return;
      yield page;
    }
  } finally {
    // Ends a page that came too late, or that the caller no longer wants.
    ended.abort();
  }
}

function createLists(clients: SdkClients, ask: Ask): Pick<VaultClient, "listVersions" | "listObjects"> {
  return {
    listVersions: (kind, name, signal) => {
      const what = { action: "list", object: kind, name, version: undefined } as const;
      const listed = new ListedVersions();
      const toOurs = (page: readonly Properties[], milliseconds: number) => {
        listed.add(page.length, milliseconds);
        return page.map((item) => toVaultVersion(item, kind));
      };
      return pagesOf(ask, { what, open: versionPages(clients, kind, name), toOurs, signal });
    },
    listObjects: (kind, signal) => {
      const what = { action: "listAll", object: kind, name: "", version: undefined } as const;
      const toOurs = (page: readonly ListedItem[]) => page.map(toListedObject);
      return pagesOf(ask, { what, open: objectPages(clients, kind), toOurs, signal });
    },
  };
}

export interface VaultClientOptions {
  readonly network: SdkNetwork;
  readonly signIn: SignIn;
  /** Time limit of one request to the vault in milliseconds. */
  readonly timeoutMs?: number;
}

/** Creates a client. Its calls reject with the signal's reason if the signal aborts, otherwise with a `VaultError`. */
export function createVaultClient(address: VaultAddress, identity: VaultIdentity, options: VaultClientOptions): VaultClient {
  const { network, signIn, timeoutMs = REQUEST_TIMEOUT_MS } = options;
  const { assertion } = signIn;
  const clients = createSdkClients(address, signIn.credential, { network, signIn, timeoutMs });
  const turns = { secret: firstAlone(), key: firstAlone(), certificate: firstAlone() };
  // A challenge, a sign-in and the request, each with its own time limit.
  const wholeMs = timeoutMs + SIGN_IN_TIMEOUT_MS + timeoutMs;
  const ask: Ask = async (what, call, signal) => {
    const request: VaultRequest = { address, identity, assertion, ...what };
    assertPathSegments(request);
    // As long as one call may take. A call that then goes has its whole time: with less, it would blame the vault for the time of others.
    const wait = { signal, milliseconds: wholeMs, tooLate: () => notSent(request, wholeMs) };
    const answer = turns[what.object](() => boundedRequest(request, call, { timeoutMs: wholeMs, signal }), wait);
    return answer.catch((error: unknown) => {
      // The next attempt gets another token: this one may have expired, whatever our clocks say, or may be revoked.
      if (error instanceof VaultError && error.code === "Unauthorized" && error.origin === "vault") signIn.forget();
      throw error;
    });
  };
  return {
    ...createReads(clients, ask),
    ...createLists(clients, ask),
  };
}

/**
 * Gives tokens for the scope that the cloud's description names, or for a scope whose host is the end of the vault's name, which the SDK
 * accepts as well. Vaults of Azure Stack request an audience of another domain. Any other audience belongs to another service.
 */
function withCheckedScope({ vaultUrl, customScope }: VaultAddress, credential: Credential): Credential {
  const vaultHost = new URL(vaultUrl).hostname;
  const isTaken = (scope: string): boolean => {
    if (normalised(scope) === normalised(customScope ?? "")) return true;
    return URL.canParse(scope) && vaultHost.endsWith(`.${new URL(scope).hostname}`);
  };
  return {
    getToken: (scopes, options) => {
      const foreign = [scopes].flat().find((scope) => !isTaken(scope));
      // Uses the words of the SDK's own check, so that both lead to the same message.
      if (foreign !== undefined) return Promise.reject(new Error("the challenge resource does not match keyVaultEndpoint"));
      return credential.getToken(scopes, options);
    },
  };
}

/** Makes `https://vault.example.com//.default` and `https://vault.example.com/.default` equal: they name one audience. */
function normalised(scope: string): string {
  return scope.toLowerCase().replace(/\/+\.default$/, "");
}
