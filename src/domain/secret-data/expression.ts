/** What a key of a Secret is made of, where that is not one file as it is: functions over files of the class. */

/** `at`: the place in the text, in characters from 1. */
export type Expression =
  /** A file of the class, by its name. */
  | { readonly kind: "file"; readonly name: string; readonly at: number }
  | { readonly kind: "text"; readonly value: string; readonly at: number }
  | { readonly kind: "call"; readonly name: string; readonly parameters: readonly Expression[]; readonly at: number };

/** As a class keeps it: its tree would take many times what its text does. */
export interface ReadExpression {
  readonly text: string;
  /** The files that it is made of, each once. */
  readonly files: readonly string[];
}

export interface ExpressionProblem {
  readonly at: number;
  readonly message: string;
  /** One sentence: what to write instead. */
  readonly hint: string;
}

/** The files that an expression is made of, each once, in the order of the text. */
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
