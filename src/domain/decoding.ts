import { assertNever } from "./assert-never.ts";
import { type CertificateSteps, type Parts, takeApart } from "./content/take-apart.ts";
import { DerivationBudget } from "./derivation-budget.ts";
import type { Pki } from "./ports/pki.ts";
import { readObjects } from "./provider-class/objects.ts";
import type { RawObject } from "./provider-class/objects-yaml.ts";
import type { ClassProblem } from "./provider-class/problem.ts";
import type { Result } from "./result.ts";
import { evaluateAll } from "./secret-data/evaluate.ts";
import { tlsParts } from "./secret-objects/tls.ts";

/** Work whose cost depends on the input of the author of a class or of a secret. */
export type DecodingTask =
  | { readonly kind: "certificate"; readonly value: Uint8Array; readonly steps: CertificateSteps; readonly rounds: number }
  | { readonly kind: "tls"; readonly value: Uint8Array; readonly rounds: number }
  | {
      readonly kind: "expressions";
      readonly texts: readonly string[];
      /** Files by name. */
      readonly files: ReadonlyMap<string, Uint8Array>;
      readonly saltKey: Uint8Array;
      readonly rounds: number;
    }
  | { readonly kind: "objects"; readonly text: string };

/** Returns the values that the caller passes to the other thread with a task. */
export function valuesOf(task: DecodingTask): readonly Uint8Array[] {
  if (task.kind === "expressions") return [...task.files.values()];
  return task.kind === "objects" ? [] : [task.value];
}

export type DecodingAnswer =
  /** `rounds` is the number of key derivation rounds of the task that are left. */
  | { readonly kind: "parts"; readonly parts: Parts; readonly rounds: number }
  | { readonly kind: "objects"; readonly objects: Result<readonly RawObject[], ClassProblem> };

export function performDecoding(task: DecodingTask, pki: Pki): DecodingAnswer {
  switch (task.kind) {
    case "certificate":
    case "tls": {
      const budget = new DerivationBudget(task.rounds);
      const using = { pki, budget };
      const parts = task.kind === "tls" ? tlsParts(task.value, using) : takeApart(task.value, task.steps, using);
      return { kind: "parts", parts, rounds: budget.left };
    }
    case "expressions": {
      const budget = new DerivationBudget(task.rounds);
      return {
        kind: "parts",
        parts: evaluateAll(task.texts, { files: task.files, saltKey: task.saltKey, pki, budget }),
        rounds: budget.left,
      };
    }
    case "objects":
      return { kind: "objects", objects: readObjects(task.text) };
    default:
      return assertNever(task);
  }
}
