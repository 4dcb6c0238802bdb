import type { VaultAddress, VaultClient, VaultClients } from "../../../src/domain/ports/vault-client.ts";
import { VaultError } from "../../../src/domain/ports/vault-error.ts";
import type { VaultIdentity } from "../../../src/domain/ports/vault-identity.ts";
import type { ListedObject, VaultObjectKind, VaultVersion } from "../../../src/domain/ports/vault-object.ts";
import { Sensitive } from "../../../src/domain/sensitive.ts";
import type { ManualClock } from "../time/manual-clock.ts";

interface StoredVersion {
  readonly tags?: Readonly<Record<string, string>>;
  readonly version: string;
  readonly isEnabled: boolean;
  /** Whole seconds, as in Key Vault. */
  readonly updated: number;
}

export type Permission = "get" | "list";

/** Simulated vaults with secrets, and with times in whole seconds as in Key Vault. Their clock can differ from ours by some minutes. */
export class ListedVaults implements VaultClients {
  /** `client id: request`, in the order of arrival. */
  readonly requests: string[] = [];
  /** Namespaces to whose share the clients counted. */
  readonly namespaces = new Set<string>();
  /** Error that replaces the next answers, by vault. */
  failure: ((vaultUrl: string) => VaultError | undefined) | undefined;
  /** Failure of a client's sign-in, and the time until it in milliseconds. No request reaches the vault then. */
  signIn: ((clientId: string) => { readonly error: VaultError; readonly afterMs: number } | undefined) | undefined;
  readonly #clock: ManualClock;
  readonly #skew: number;
  readonly #secrets = new Map<string, readonly StoredVersion[]>();
  readonly #refused = new Map<string, ReadonlySet<Permission>>();
  readonly #clients = new Map<string, VaultClient>();
  #serial = 0;

  constructor(clock: ManualClock, skew = 0) {
    this.#clock = clock;
    this.#skew = skew;
  }

  /** Creates a new version of each secret. */
  set(...names: readonly string[]): void {
    for (const name of names) {
      this.#serial += 1;
      const version = { version: `v${this.#serial}`, isEnabled: true, updated: this.#second() };
      this.#secrets.set(name, [...(this.#secrets.get(name) ?? []), version]);
    }
  }

  /** Creates a new version with tags. */
  setTagged(name: string, tags: Readonly<Record<string, string>>): void {
    this.set(name);
    const versions = this.#secrets.get(name) ?? [];
    this.#secrets.set(name, [...versions.slice(0, -1), ...versions.slice(-1).map((version) => ({ ...version, tags }))]);
  }

  /** Changes the current version, or the given one. */
  enable(name: string, isEnabled: boolean, version?: string): void {
    const versions = this.#secrets.get(name) ?? [];
    const target = versions.find((one) => one.version === version) ?? versions.at(-1);
    this.#secrets.set(
      name,
      versions.map((one) => (one === target ? { ...one, isEnabled, updated: this.#second() } : one)),
    );
  }

  delete(name: string): void {
    this.#secrets.delete(name);
  }

  current(name: string): StoredVersion | undefined {
    return this.#secrets.get(name)?.at(-1);
  }

  refuse(clientId: string, ...permissions: readonly Permission[]): void {
    this.#refused.set(clientId, new Set(permissions));
  }

  /** Returns the requests since the last call. */
  taken(): readonly string[] {
    return this.requests.splice(0);
  }

  clientFor({ vaultUrl }: VaultAddress, identity: VaultIdentity, namespace: string): VaultClient {
    this.namespaces.add(namespace);
    const who = identity.kind === "managedIdentity" ? (identity.clientId ?? "") : identity.clientId;
    const known = this.#clients.get(`${vaultUrl} ${who}`) ?? this.#client(vaultUrl, who);
    this.#clients.set(`${vaultUrl} ${who}`, known);
    return known;
  }

  #second(): number {
    return Math.floor((this.#clock.now() + this.#skew) / 1_000) * 1_000;
  }

  async #enter(vaultUrl: string, who: string, request: string, permission: Permission): Promise<void> {
    const signIn = this.signIn?.(who);
    if (signIn !== undefined) {
      await this.#clock.sleep(signIn.afterMs, new AbortController().signal);
      throw signIn.error;
    }
    this.requests.push(`${who}: ${request}`);
    const failure = this.failure?.(vaultUrl);
    if (failure !== undefined) throw failure;
    if (this.#refused.get(who)?.has(permission) === true) throw refusal("Forbidden", `${who} may not ${permission}`);
  }

  #client(vaultUrl: string, who: string): VaultClient {
    const unused = (): never => {
      throw new Error("only secrets are here");
    };
    const enter = (request: string, permission: Permission): Promise<void> => this.#enter(vaultUrl, who, request, permission);
    return {
      getSecret: async (name, version) => {
        await enter(`get ${name}${version === undefined ? "" : `@${version}`}`, "get");
        const versions = this.#secrets.get(name) ?? [];
        const found = version === undefined ? versions.at(-1) : versions.find((one) => one.version === version);
        if (found === undefined) throw refusal("NotFound", `no ${name}`);
        if (!found.isEnabled) throw refusal("Disabled", `${name} is disabled`);
        const { version: id, updated } = found;
        const value = Sensitive.ofText(`${name}@${id}`);
        const facts = { version: id, updated, expires: undefined, notBefore: undefined, answered: this.#second() };
        return { ...facts, value, contentType: undefined, keyId: undefined };
      },
      getKey: unused,
      getCertificate: unused,
      listVersions: (_kind, name) => this.#versions(name, enter),
      listObjects: (kind) => this.#pages(kind, enter),
    };
  }

  async *#versions(
    name: string,
    enter: (request: string, permission: Permission) => Promise<void>,
  ): AsyncGenerator<readonly VaultVersion[]> {
    await enter(`versions ${name}`, "list");
    yield (this.#secrets.get(name) ?? []).map(({ version, isEnabled }, index) => ({ version, isEnabled, created: index }));
  }

  async *#pages(
    kind: VaultObjectKind,
    enter: (request: string, permission: Permission) => Promise<void>,
  ): AsyncGenerator<readonly ListedObject[]> {
    const all = [...this.#secrets].flatMap(([name, versions]) =>
      versions.slice(-1).map(({ isEnabled, updated, tags = {} }) => ({
        name,
        isEnabled,
        updated,
        details: { tags, isManaged: name.startsWith("managed-") },
      })),
    );
    for (let start = 0; start === 0 || start < all.length; start += 25) {
      await enter(`list ${kind}s`, "list");
      yield all.slice(start, start + 25);
    }
  }
}

function refusal(code: "Forbidden" | "NotFound" | "Disabled", message: string): VaultError {
  return new VaultError(code, message, { retry: { kind: "never" }, origin: "vault" });
}
