import type { SecretObject, SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { rfc3339, type SecretStatus } from "../../src/domain/sync/class-status.ts";
import type { Mirror, Question } from "../../src/sync/vault/mirror.ts";
import type { createMirrors } from "../../src/sync/vault/vault-mirror.ts";

type Mirrors = ReturnType<typeof createMirrors>;

/** An entry of `objects`: the name in the vault, or its YAML keys. */
export type ObjectEntry = string | Readonly<Record<string, string>>;

export interface StoredClassFacts {
  readonly objects: readonly ObjectEntry[];
  /** Files by the name of their Secret, each under its own name; default: a Secret for each file, under the key `value`. */
  readonly secrets?: Readonly<Record<string, readonly string[]>>;
  readonly vault: string;
  readonly tenantId: string;
  /** How it signs in, and what else it says of its vault. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Of every object. */
  readonly entry?: Readonly<Record<string, string>>;
}

/** When a look is due, how far the others are (milliseconds), and what else is asked. */
export type Look = Pick<Question, "due" | "interval" | "period"> &
  Partial<Pick<Extract<Question, { kind: "changes" | "repair" }>, "kind" | "intact">>;

/** A class with a Secret for each object, and what the worker stores of it. */
export class StoredClass {
  readonly provider: SecretProviderClass;
  stored: readonly SecretStatus[] = [];
  checked: number | undefined;

  constructor(name: string, { objects, secrets, vault, tenantId, parameters, entry = {} }: StoredClassFacts) {
    const entries = objects.map((object) => ({
      objectType: "secret",
      ...entry,
      ...(typeof object === "string" ? { objectName: object } : object),
    }));
    const files = entries.map(fileOf);
    this.provider = {
      apiVersion: "secrets-store.csi.x-k8s.io/v1",
      kind: "SecretProviderClass",
      metadata: { namespace: "team", name },
      spec: {
        provider: "azure",
        parameters: { keyvaultName: vault, tenantId, objects: `array:\n${entries.map(yamlOf).join("")}`, ...parameters },
        secretObjects:
          secrets === undefined
            ? files.map((file) => aSecret(file.replace(/\/0$/, "").toLowerCase(), [{ objectName: file, key: "value" }]))
            : Object.entries(secrets).map(([secretName, names]) =>
                aSecret(
                  secretName,
                  names.map((file) => ({ objectName: file, key: file })),
                ),
              ),
      },
    };
  }

  get versions(): readonly (string | undefined)[] {
    return this.stored.map(({ data }) => data[0]?.version);
  }

  first(mirror: Mirrors, { due, interval, period }: Look): Promise<Mirror> {
    return this.#ask(mirror, { kind: "everything", due, interval, period, credentialsMs: 0, sharedMs: 1_000 });
  }

  poll(mirror: Mirrors, look: Look): Promise<Mirror> {
    const intact = new Set(this.stored.map(({ name }) => name));
    return this.#ask(mirror, { kind: "changes", intact, stored: this.stored, checked: this.checked, credentialsMs: 0, ...look });
  }

  async #ask(mirror: Mirrors, question: Question): Promise<Mirror> {
    const answer = await mirror(this.provider, question, new AbortController().signal);
    if (answer.kind !== "answered") return answer;
    const held = (name: string): SecretStatus["data"] => this.stored.find((secret) => secret.name === name)?.data ?? [];
    this.stored = answer.secrets.map((entry) =>
      entry.kind === "failed"
        ? { name: entry.name, state: entry.reason, message: entry.message, data: held(entry.name) }
        : { name: entry.kind === "desired" ? entry.secret.name : entry.name, state: "Synced", data: entry.keys },
    );
    // As the status has it: in whole seconds.
    if (answer.notFresh === undefined && answer.checkedAt !== undefined) this.checked = Date.parse(rfc3339(answer.checkedAt));
    return answer;
  }
}

function aSecret(secretName: string, data: NonNullable<SecretObject["data"]>): SecretObject {
  return { secretName, type: "Opaque", data };
}

function yamlOf(entry: Readonly<Record<string, string>>): string {
  const lines = Object.entries(entry).map(([key, value]) => `    ${key}: ${value}\n`);
  return `  - |\n${lines.join("")}`;
}

function fileOf(entry: Readonly<Record<string, string>>): string {
  const path = entry["objectAlias"] ?? entry["objectName"] ?? "";
  return entry["objectVersionHistory"] === undefined ? path : `${path}/0`;
}

export function reasonOf(answer: Mirror): string {
  return answer.kind === "refused" ? answer.reason : (answer.notFresh?.reason ?? "Synced");
}
