import type { SecretProviderClass } from "../../src/domain/kubernetes.ts";
import { rfc3339, type SecretStatus } from "../../src/domain/sync/class-status.ts";
import type { Mirror } from "../../src/sync/vault/mirror.ts";
import type { createMirrors } from "../../src/sync/vault/vault-mirror.ts";
import type { Question } from "../../src/sync/vault/vault-question.ts";

type Mirrors = ReturnType<typeof createMirrors>;

export interface StoredClassFacts {
  readonly objects: readonly string[];
  readonly vault: string;
  readonly tenantId: string;
  /** How it signs in, and what else it says of its vault. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Of every object. */
  readonly entry?: Readonly<Record<string, string>>;
}

/** When a look is due, how far the next is (milliseconds), and what else is asked. */
export type Look = Pick<Question, "due" | "interval"> & Partial<Pick<Extract<Question, { kind: "changes" | "repair" }>, "kind" | "intact">>;

/** A class with a Secret for each object, and what the worker stores of it. */
export class StoredClass {
  readonly provider: SecretProviderClass;
  stored: readonly SecretStatus[] = [];
  checked: number | undefined;

  constructor(name: string, { objects, vault, tenantId, parameters, entry = {} }: StoredClassFacts) {
    const lines = (object: string): string =>
      Object.entries({ objectName: object, objectType: "secret", ...entry })
        .map(([key, value]) => `    ${key}: ${value}\n`)
        .join("");
    const fileOf = (object: string): string => (entry["objectVersionHistory"] === undefined ? object : `${object}/0`);
    const array = `array:\n${objects.map((object) => `  - |\n${lines(object)}`).join("")}`;
    this.provider = {
      apiVersion: "secrets-store.csi.x-k8s.io/v1",
      kind: "SecretProviderClass",
      metadata: { namespace: "team", name },
      spec: {
        provider: "azure",
        parameters: { keyvaultName: vault, tenantId, objects: array, ...parameters },
        secretObjects: objects.map((object) => ({
          secretName: object.toLowerCase(),
          type: "Opaque",
          data: [{ objectName: fileOf(object), key: "value" }],
        })),
      },
    };
  }

  get versions(): readonly (string | undefined)[] {
    return this.stored.map(({ data }) => data[0]?.version);
  }

  first(mirror: Mirrors, look: Look): Promise<Mirror> {
    return this.#ask(mirror, { kind: "everything", due: look.due, interval: look.interval, credentialsMs: 0, sharedMs: 1_000 });
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

export function reasonOf(answer: Mirror): string {
  return answer.kind === "refused" ? answer.reason : (answer.notFresh?.reason ?? "Synced");
}
