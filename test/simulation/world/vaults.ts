/** The vaults of a world, and what each of their objects was when: what every Secret is compared with. */
import type { StateMethods } from "../../../tools/key-vault-emulator/control/state-methods.ts";
import type { Random } from "../time/random.ts";

export interface ObjectVersion {
  readonly version: string;
  readonly value: string;
  /** Virtual milliseconds. */
  readonly since: number;
}

export interface VaultObject {
  readonly name: string;
  /** Oldest first. */
  readonly versions: ObjectVersion[];
  state: "enabled" | "disabled" | "deleted";
  /** Of the last change of any kind. */
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

/** Changes a vault, and remembers how it was. Values say whose they are, in base64. */
export class Vaults {
  readonly all = new Map<string, SimulatedVault>();
  readonly #methods: StateMethods;
  readonly #now: () => number;
  readonly #random: Random;
  #serial = 0;

  constructor(methods: StateMethods, now: () => number, random: Random) {
    this.#methods = methods;
    this.#now = now;
    this.#random = random;
  }

  async create(name: string, tenantId: string): Promise<SimulatedVault> {
    await this.#methods.createVault({ name, tenantId });
    const vault: SimulatedVault = { name, tenantId, objects: new Map() };
    this.all.set(name, vault);
    return vault;
  }

  async application(tenantId: string, vaults: readonly string[], mayList: boolean): Promise<Application> {
    const { appId, clientSecret } = await this.#methods.createServicePrincipal({ tenantId });
    for (const vault of vaults) await this.#methods.grant({ vault, appId, permissions: mayList ? ["get", "list"] : ["get"] });
    return { appId, clientSecret, mayList };
  }

  /** A new version of a secret, which is made if it is not there. */
  async rotate({ name: vault, objects }: SimulatedVault, name: string): Promise<void> {
    const known = objects.get(name);
    if (known?.state === "deleted") return;
    const text = `${vault}/${name}/${++this.#serial}/${this.#random.below(1e9).toString(36)}`;
    const value = Buffer.from(text).toString("base64");
    const { version } = await this.#methods.setSecret({ vault, name, value });
    const made = { version, value, since: this.#now() };
    if (known === undefined) objects.set(name, { name, versions: [made], state: "enabled", changedAt: this.#now() });
    else {
      known.versions.push(made);
      known.state = "enabled";
      known.changedAt = this.#now();
    }
  }

  async disable(vault: SimulatedVault, name: string): Promise<void> {
    await this.#change(vault.objects.get(name), ["enabled", "disabled"], () => this.#methods.disableSecret({ vault: vault.name, name }));
  }

  async enable(vault: SimulatedVault, name: string): Promise<void> {
    await this.#change(vault.objects.get(name), ["disabled", "enabled"], () => this.#methods.enableSecret({ vault: vault.name, name }));
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
  }
}

/** The version that a class gets which names none. */
export function currentOf(object: VaultObject): ObjectVersion | undefined {
  return object.state === "enabled" ? object.versions.at(-1) : undefined;
}

/** How it was at a moment, for a claim that is about then; undefined: it was not there yet. */
export function versionAt({ versions }: VaultObject, moment: number): ObjectVersion | undefined {
  return versions.findLast(({ since }) => since <= moment);
}
