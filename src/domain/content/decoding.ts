import { assertNever } from "../assert-never.ts";
import type { Pki } from "../ports/pki.ts";
import { readObjects } from "../provider-class/objects.ts";
import type { RawObject } from "../provider-class/objects-yaml.ts";
import type { ClassProblem } from "../provider-class/problem.ts";
import type { Result } from "../result.ts";
import { tlsParts } from "../secret-objects/tls.ts";
import { DerivationBudget } from "./derivation-budget.ts";
import { type CertificateSteps, type Parts, takeApart } from "./take-apart.ts";

/** Work whose cost the author of a class, or of a secret, decides. */
export type DecodingTask =
  | { readonly kind: "certificate"; readonly value: Uint8Array; readonly steps: CertificateSteps; readonly rounds: number }
  | { readonly kind: "tls"; readonly value: Uint8Array; readonly rounds: number }
  | { readonly kind: "objects"; readonly text: string };

export type DecodingAnswer =
  /** With the rounds of key derivation that are left of those of the task. */
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
    case "objects":
      return { kind: "objects", objects: readObjects(task.text) };
    default:
      return assertNever(task);
  }
}
