/** The vaults of a world, and the history of each object, with which the invariants compare every Secret. */
import type { StateMethods } from "../../../tools/key-vault-emulator/control/state-methods.ts";
import type { NewVersion } from "../queues/event-grid.ts";
import type { Random } from "../time/random.ts";
import { drawCertificate, forgetCertificates } from "./certificates.ts";

export interface ObjectVersion {
  readonly version: string;
  readonly value: string;
  /** Virtual milliseconds. */
  readonly since: number;
  /** Each version has a state of its own: a new version does not change earlier ones. */
  isDisabled: boolean;
}

export interface VaultObject {
  readonly name: string;
  /** A certificate has a key and a secret of the same name and version. Its subject contains its text. */
  readonly isCertificate: boolean;
  /** Oldest first. */
  readonly versions: ObjectVersion[];
  state: "enabled" | "disabled" | "deleted";
  /** Time of the last change of any kind. */
  changedAt: number;
}

export interface SimulatedVault {
  readonly name: string;
  readonly tenantId: string;
  readonly objects: Map<string, VaultObject>;
}

export interface Application {
  readonly appId: string;
  readonly clientSecret: string;
  readonly mayList: boolean;
}

const GETS = ["get", "keys/get", "certificates/get"] as const;
const LISTS = ["list", "keys/list", "certificates/list"] as const;

/** Changes vaults, and records their history. Values contain the names of their vault and object, in base64. */
export class Vaults {
  readonly all = new Map<string, SimulatedVault>();
  readonly #methods: StateMethods;
  readonly #now: () => number;
  readonly #random: Random;
  #serial = 0;
  /** Called for each new version. */
  onVersion: (version: NewVersion) => void = () => undefined;

  constructor(methods: StateMethods, now: () => number, random: Random) {
    this.#methods = methods;
    this.#now = now;
    this.#random = random;
    forgetCertificates();
  }

  async create(name: string, tenantId: string): Promise<SimulatedVault> {
    await this.#methods.createVault({ name, tenantId });
    const vault: SimulatedVault = { name, tenantId, objects: new Map() };
    this.all.set(name, vault);
    return vault;
  }

  async application(tenantId: string, vaults: readonly string[], mayList: boolean): Promise<Application> {
    const { appId, clientSecret } = await this.#methods.createServicePrincipal({ tenantId });
    const permissions = mayList ? [...GETS, ...LISTS] : [...GETS];
    for (const vault of vaults) await this.#methods.grant({ vault, appId, permissions });
    return { appId, clientSecret, mayList };
  }

  /** Limits the vault. Above the limit, it answers 429. */
  async limit(vault: string, budget: { readonly transactions: number; readonly perSeconds: number }): Promise<void> {
    await this.#methods.setBudget({ vault, ...budget });
  }

  /** Adds a version of an object. Creates a secret if the object does not exist. */
  async rotate({ name: vault, objects }: Pick<SimulatedVault, "name" | "objects">, name: string): Promise<void> {
    if (objects.get(name)?.isCertificate === true) return this.rotateCertificate({ name: vault, objects }, name);
    const text = `${vault}/${name}/${++this.#serial}/${this.#random.below(1e9).toString(36)}`;
    const value = Buffer.from(text).toString("base64");
    const { version } = await this.#methods.setSecret({ vault, name, value });
    this.#note({ objects, name, isCertificate: false }, { version, value });
    this.onVersion({ vault, object: name, isCertificate: false, version });
  }

  /**
   * Adds a version of a certificate, and creates the certificate if it does not exist. The format is PKCS#12 or PEM, regardless of earlier
   * versions.
   */
  async rotateCertificate({ name: vault, objects }: Pick<SimulatedVault, "name" | "objects">, name: string): Promise<void> {
    const text = `${vault}/${name}/${++this.#serial}/${this.#random.below(1e9).toString(36)}`;
    const pem = drawCertificate(this.#random, text);
    const contentType = this.#random.chance(0.7) ? "application/x-pkcs12" : "application/x-pem-file";
    const { version } = await this.#methods.importCertificate({ vault, name, pem, contentType });
    this.#note({ objects, name, isCertificate: true }, { version, value: Buffer.from(text).toString("base64") });
    this.onVersion({ vault, object: name, isCertificate: true, version });
  }

  #note(
    { objects, name, isCertificate }: Pick<SimulatedVault, "objects"> & Pick<VaultObject, "name" | "isCertificate">,
    { version, value }: Pick<ObjectVersion, "version" | "value">,
  ): void {
    const known = objects.get(name);
    const made = { version, value, since: this.#now(), isDisabled: false };
    if (known === undefined) objects.set(name, { name, isCertificate, versions: [made], state: "enabled", changedAt: this.#now() });
    else {
      known.versions.push(made);
      known.state = "enabled";
      known.changedAt = this.#now();
    }
  }

  async disable(vault: SimulatedVault, name: string): Promise<void> {
    await this.#change(vault.objects.get(name), ["enabled", "disabled"], () => this.#setEnabled(vault, name, false));
  }

  async enable(vault: SimulatedVault, name: string): Promise<void> {
    await this.#change(vault.objects.get(name), ["disabled", "enabled"], () => this.#setEnabled(vault, name, true));
  }

  #setEnabled({ name: vault, objects }: SimulatedVault, name: string, enabled: boolean): Promise<unknown> {
    const change = { vault, name, enabled };
    return objects.get(name)?.isCertificate === true ? this.#methods.setCertificateAttributes(change) : this.#methods.setAttributes(change);
  }

  async #change(
    known: VaultObject | undefined,
    [from, to]: readonly [VaultObject["state"], VaultObject["state"]],
    change: () => Promise<unknown>,
  ): Promise<void> {
    if (known?.state !== from) return;
    await change();
    known.state = to;
    known.changedAt = this.#now();
    const current = known.versions.at(-1);
    if (current !== undefined) current.isDisabled = to === "disabled";
  }
}

/** Returns the version that a class gets if it does not pin one. */
export function currentOf(object: VaultObject): ObjectVersion | undefined {
  return object.state === "enabled" ? object.versions.at(-1) : undefined;
}

/** Returns the latest version at a moment; undefined if the object did not exist yet. */
export function versionAt({ versions }: VaultObject, moment: number): ObjectVersion | undefined {
  return versions.findLast(({ since }) => since <= moment);
}
