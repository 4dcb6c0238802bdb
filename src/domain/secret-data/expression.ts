/** The expression for a key of a Secret: functions on files of the class, unless the value is one unchanged file. */

/** `at` is the position in the text, in characters, starting at 1. */
export type Expression =
  /** A file of the class. */
  | { readonly kind: "file"; readonly name: string; readonly at: number }
  | { readonly kind: "text"; readonly value: string; readonly at: number }
  | { readonly kind: "call"; readonly name: string; readonly parameters: readonly Expression[]; readonly at: number };

/** An expression as the worker keeps it with the class. The parsed tree would take many times the memory of the text. */
export interface ReadExpression {
  readonly text: string;
  /** The files that it uses, each once. */
  readonly files: readonly string[];
}

export interface ExpressionProblem {
  readonly at: number;
  readonly message: string;
  /** One sentence that states the fix. */
  readonly hint: string;
}

/** Returns the files that an expression uses, each once, in the order of the text. */
export function filesIn(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case "file":
      return [expression.name];
    case "text":
      return [];
    case "call":
      return [...new Set(expression.parameters.flatMap(filesIn))];
  }
}
