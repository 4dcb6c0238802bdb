import { SECRET_ANNOTATIONS } from "../../../src/domain/annotations.ts";
import type { Secret } from "../../../src/domain/kubernetes.ts";
import type { NewVersion } from "../../../tools/key-vault-emulator/queues/event-form.ts";
import type { SpawnedEmulator } from "../../../tools/key-vault-emulator/spawn.ts";
import type { ControlPlane } from "../../support/cluster/control-plane.ts";
import { classOf, createClass, createCredentials, mirroredSecrets, opaque, send } from "../../support/worker/sync-world.ts";
import type { ObjectKind } from "./plan.ts";

/** Number of objects of one class, each with its own Secret. */
const PER_CLASS = 10;
const CLASSES_PER_NAMESPACE = 30;

const AT_ONCE = 16;

export interface GroundOptions {
  readonly plane: ControlPlane;
  readonly emulator: SpawnedEmulator;
  readonly vault: string;
  readonly tenantId: string;
  readonly principal: { readonly appId: string; readonly clientSecret: string };
  /** Prefix of this ground's namespaces and objects. */
  readonly prefix: string;
}

interface VaultObject {
  readonly name: string;
  readonly kind: ObjectKind;
  readonly namespace: string;
}

/** Classes of one vault, their objects, and the current versions of the objects. */
export class Ground {
  readonly #options: GroundOptions;
  readonly #objects: readonly VaultObject[];
  /** By the object's name. */
  readonly #current = new Map<string, { readonly version: string; readonly value: string }>();
  rotations = 0;

  constructor(options: GroundOptions, kinds: readonly ObjectKind[]) {
    this.#options = options;
    this.#objects = kinds.map((kind, index) => ({
      name: `${options.prefix}-${index}`,
      kind,
      namespace: `${options.prefix}-${Math.floor(index / PER_CLASS / CLASSES_PER_NAMESPACE)}`,
    }));
  }

  get size(): number {
    return this.#objects.length;
  }

  get classes(): number {
    return Math.ceil(this.size / PER_CLASS);
  }

  /** Number of one object of each class. */
  get ofEachClass(): readonly number[] {
    return Array.from({ length: this.classes }, (_, index) => Math.min(index * PER_CLASS + 1, this.size - 1));
  }

  /** Name of a secret that a class names, and that the vault no longer has after `deleteOne`. */
  get deleted(): string {
    return `${this.#options.prefix}-deleted`;
  }

  /** Name of a secret that a class names. */
  get named(): string {
    return this.#objects.find(({ kind }) => kind === "Secret")?.name ?? "";
  }

  /** Creates objects, namespaces and classes. Does not wait for the worker. */
  async settle(): Promise<void> {
    const { plane, emulator, vault, principal } = this.#options;
    await emulator.setSecret({ vault, name: this.deleted, value: "gone" });
    await together(this.#objects, (_, index) => this.rotate(index).then(() => undefined));
    for (const namespace of new Set(this.#objects.map((object) => object.namespace))) {
      await send(plane, {
        method: "POST",
        path: "/api/v1/namespaces",
        body: { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
      });
      await createCredentials(plane, namespace, { clientid: principal.appId, clientsecret: principal.clientSecret });
    }
    await together(Array.from({ length: this.classes }), (_, index) => this.#createClass(index));
  }

  /** Deletes the secret from the vault. Its class still names it. */
  async deleteOne(): Promise<void> {
    await this.#options.emulator.deleteSecret({ vault: this.#options.vault, name: this.deleted });
  }

  /** Creates a new version, which its Secret must contain from now on. */
  async rotate(index: number): Promise<NewVersion> {
    const { emulator, vault } = this.#options;
    const { name, kind } = this.#at(index);
    const value = `${name}-${(this.rotations += 1)}`;
    const { version } =
      kind === "Key" ? await emulator.createKey({ vault, name, keyType: "EC" }) : await emulator.setSecret({ vault, name, value });
    this.#current.set(name, { version, value });
    return { object: kind, name, version, notBefore: null, expires: null };
  }

  /** One sentence for each Secret that lacks the current version of its object. */
  async behind(): Promise<readonly string[]> {
    const secrets = new Map((await mirroredSecrets(this.#options.plane)).map((secret) => [secret.metadata.name, secret]));
    return this.#objects.flatMap(({ name, kind, namespace }) => {
      const { version, value } = this.#current.get(name) ?? { version: "", value: "" };
      const secret = secrets.get(name);
      const held = secret?.metadata.annotations?.[SECRET_ANNOTATIONS.objects] ?? "nothing";
      const wanted = `${kind.toLowerCase()}/${name}@${version}`;
      const isHeld = held === wanted && (kind === "Key" || valueOf(secret) === value);
      return isHeld ? [] : [`${namespace}/${name} has ${held} and not ${wanted}`];
    });
  }

  async #createClass(index: number): Promise<void> {
    const objects = this.#objects.slice(index * PER_CLASS, (index + 1) * PER_CLASS);
    const entries = objects.map(({ name, kind }) => ({ objectName: name, objectType: kind.toLowerCase() }));
    const isOfDeleted = index === 0;
    const facts = {
      namespace: objects[0]?.namespace ?? "",
      name: `${this.#options.prefix}-class-${index}`,
      objects: isOfDeleted ? [...entries, { objectName: this.deleted, objectType: "secret" }] : entries,
      secretObjects: [...objects.map(({ name }) => name), ...(isOfDeleted ? [this.deleted] : [])].map((name) => opaque(name, name)),
    };
    await createClass(this.#options.plane, classOf(this.#options, facts));
  }

  #at(index: number): VaultObject {
    const object = this.#objects[index];
    if (object === undefined) throw new Error(`there is no object ${index}`);
    return object;
  }
}

function valueOf(secret: Secret | undefined): string {
  return Buffer.from(secret?.data?.["value"] ?? "", "base64").toString();
}

/** Runs a limited number of actions at the same time. */
async function together<T>(items: readonly T[], act: (item: T, index: number) => Promise<void>): Promise<void> {
  const left = [...items.entries()];
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await act(next[1], next[0]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
