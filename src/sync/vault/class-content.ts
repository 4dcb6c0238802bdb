import type { ContentProblem, ObjectFile } from "../../domain/content/object-file.ts";
import { type RenderOptions, renderSecretElsewhere } from "../../domain/content/render.ts";
import type { Parts } from "../../domain/content/take-apart.ts";
import type { ObjectVersion } from "../../domain/content/version-history.ts";
import type { DecodingTask } from "../../domain/decoding.ts";
import { DerivationBudget } from "../../domain/derivation-budget.ts";
import type { SecretProviderClassSpec } from "../../domain/kubernetes.ts";
import type { Decoder, DecodingOutcome } from "../../domain/ports/decoder.ts";
import { type DecodingProblem, undecodable } from "../../domain/ports/pki.ts";
import type { VaultSecret } from "../../domain/ports/vault-object.ts";
import type { ClassProblem } from "../../domain/provider-class/problem.ts";
import { hasReadEntries, rememberEntries } from "../../domain/read-class.ts";
import type { Result } from "../../domain/result.ts";
import type { SecretObjectEntries } from "../../domain/secret-data/data-entries.ts";
import type { ReadExpression } from "../../domain/secret-data/expression.ts";
import { NOT_MADE, wantedExpressions } from "../../domain/secret-data/wanted-expressions.ts";
import { buildSecretsFrom, tlsFiles } from "../../domain/secret-objects/build.ts";
import type { SecretOutcome } from "../../domain/secret-objects/desired-secret.ts";
import { Sensitive } from "../../domain/sensitive.ts";

/** Processor time in milliseconds: for everything that a class decodes in one reconcile, and for one task of it. */
const CLASS_MS = 15_000;
const TASK_MS = 10_000;

/** The worker parses an `objects` text of up to this length in place: a hand-over to another thread takes as many milliseconds. */
const SHORT_OBJECTS = 8_192;

/**
 * Decodes the values of a class in one reconcile. The decoder does the work outside the worker's own thread, task after task. All tasks of
 * the class share one allowance of key derivation rounds and of time.
 */
export class ClassContent {
  readonly #decoder: Decoder;
  readonly #namespace: string;
  readonly #saltKey: () => Uint8Array;
  #rounds = new DerivationBudget().left;
  #milliseconds = CLASS_MS;
  #last: Promise<unknown> = Promise.resolve();

  /** `saltKey` returns the key from which the salts for the namespace are derived. It is a function because most classes need no salt. */
  constructor(decoder: Decoder, { namespace, saltKey }: { readonly namespace: string; readonly saltKey: () => Uint8Array }) {
    this.#decoder = decoder;
    this.#namespace = namespace;
    this.#saltKey = saltKey;
  }

  /** Parses a long `objects` text, and remembers the result. Returns a problem if this takes too much time or memory. */
  async readObjects(spec: SecretProviderClassSpec | undefined, signal: AbortSignal): Promise<ClassProblem | undefined> {
    const text = spec?.parameters?.["objects"] ?? "";
    if (spec === undefined || text.length <= SHORT_OBJECTS || hasReadEntries(spec)) return undefined;
    const outcome = await this.#perform(() => ({ kind: "objects", text }), signal);
    if (outcome.kind === "ended") return slowObjects(outcome.limit);
    if (outcome.kind !== "objects") throw new Error(`objects were asked for, and ${outcome.kind} came`);
    rememberEntries(spec, outcome.objects);
    return undefined;
  }

  renderSecret(
    object: ObjectVersion,
    secret: VaultSecret,
    { options, signal }: { readonly options: RenderOptions; readonly signal: AbortSignal },
  ): Promise<Result<readonly ObjectFile[], ContentProblem>> {
    const takeApart = (value: Uint8Array, steps: Extract<DecodingTask, { readonly kind: "certificate" }>["steps"]): Promise<Parts> =>
      this.#parts((rounds) => ({ kind: "certificate", value, steps, rounds }), signal);
    return renderSecretElsewhere(object, secret, { options, takeApart });
  }

  /** Returns one outcome for each secretObject. Decodes a TLS file once, even if several secretObjects use it. */
  async buildSecrets(
    secretObjects: readonly SecretObjectEntries[],
    files: readonly ObjectFile[],
    signal: AbortSignal,
  ): Promise<readonly SecretOutcome[]> {
    const decoded = new Map<Sensitive, readonly Result<Sensitive, DecodingProblem>[]>();
    for (const { contents } of tlsFiles(secretObjects, files)) {
      const parts = await contents.splitElsewhere((value) => this.#parts((rounds) => ({ kind: "tls", value, rounds }), signal));
      decoded.set(contents, parts);
    }
    const made = new Map<ReadExpression, Result<Sensitive, DecodingProblem>>();
    for (const secretObject of secretObjects) await this.#evaluate(secretObject, files, { made, signal });
    return buildSecretsFrom(secretObjects, files, {
      partsOf: ({ contents }) => decoded.get(contents) ?? [],
      valueOf: (expression) => made.get(expression) ?? undecodable(NOT_MADE),
    });
  }

  async #evaluate(
    secretObject: SecretObjectEntries,
    files: readonly ObjectFile[],
    { made, signal }: { readonly made: Map<ReadExpression, Result<Sensitive, DecodingProblem>>; readonly signal: AbortSignal },
  ): Promise<void> {
    const { expressions, files: wanted } = wantedExpressions(secretObject, files);
    if (expressions.length === 0) return;
    const values = await Sensitive.combineElsewhere(wanted, (copies) =>
      this.#parts(
        (rounds) => ({ kind: "expressions", texts: expressions.map(({ text }) => text), files: copies, saltKey: this.#saltKey(), rounds }),
        signal,
      ),
    );
    // If the decoder returns a single entry, it is the error of all expressions.
    for (const [index, expression] of expressions.entries()) made.set(expression, values[index] ?? values[0] ?? undecodable(NOT_MADE));
  }

  async #parts(taskWithin: (rounds: number) => DecodingTask, signal: AbortSignal): Promise<Parts> {
    const outcome = await this.#perform(() => taskWithin(this.#rounds), signal);
    if (outcome.kind === "ended") return [undecodable(endOf(outcome.limit))];
    if (outcome.kind !== "parts") throw new Error(`parts were asked for, and ${outcome.kind} came`);
    this.#rounds = outcome.rounds;
    return outcome.parts;
  }

  /** Runs the tasks one after the other, because the time left for a task depends on the time that the earlier ones took. */
  async #perform(task: () => DecodingTask, signal: AbortSignal): Promise<DecodingOutcome> {
    const before = this.#last;
    const turn = Promise.withResolvers<void>();
    this.#last = turn.promise;
    await before;
    try {
      const milliseconds = Math.min(TASK_MS, this.#milliseconds);
      if (milliseconds <= 0) return { kind: "ended", limit: "time" };
      const { outcome, ran } = await this.#decoder.decode(task(), { namespace: this.#namespace, milliseconds }, signal);
      this.#milliseconds -= ran;
      return outcome;
    } finally {
      turn.resolve();
    }
  }
}

function endOf(limit: "time" | "memory"): string {
  const seconds = (milliseconds: number): string => `${milliseconds / 1_000} s`;
  if (limit === "memory") return "decoding it takes more memory than a class is allowed to use";
  return `decoding it takes more than ${seconds(TASK_MS)} of CPU time, or decoding all files of the class takes more than ${seconds(CLASS_MS)}`;
}

function slowObjects(limit: "time" | "memory"): ClassProblem {
  const hint = "shorten it, or spread the objects over several classes";
  return { reason: "InvalidObject", message: endOf(limit), field: "spec.parameters.objects", hint };
}
