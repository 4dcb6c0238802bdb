import { textOf } from "../api/json.ts";
import type { Difference } from "./difference.ts";
import type { Operation } from "./operation.ts";

/** A difference that stays, with its reason. */
export interface Listed {
  readonly what: string;
  readonly why: string;
  readonly explains: (difference: Difference, operation: Operation | undefined) => boolean;
}

const texts = ({ real, simulated }: Difference): readonly [string, string] => [textOf(real), textOf(simulated)];

export const LISTED: readonly Listed[] = [
  {
    what: "the sentence about a body or selector that cannot be read",
    why: "Go's decoders name types and places of their own; nobody reads more than the 400",
    explains: (difference) =>
      difference.path === "message" &&
      texts(difference).every((text) =>
        /cannot be handled as|is unrecognized|error decoding|API version in the data|unable to parse|found '|failed to convert new/.test(
          text,
        ),
      ),
  },
  {
    what: "the value and the decoder's words in a cause of a 422, where the value is an object or its content was decoded",
    why: "Go shows its internal types there; reason, field and the sentence itself are compared",
    explains: ({ path, real, simulated }) =>
      /details.causes\[\d+\].message$/.test(path) && withoutValue(textOf(real)) === withoutValue(textOf(simulated)),
  },
  {
    what: "which of several problems of an applied object is told, and in which order",
    why: "Go walks maps in no order, and ends its walk at an unknown field",
    explains: (difference) =>
      difference.path === "message" && texts(difference).every((text) => text.startsWith("failed to create typed patch object")),
  },
  {
    what: "the version of a list that may be of any version",
    why: "with resourceVersion=0 the server answers from its cache, which may be behind; nobody of ours asks so",
    explains: ({ path }, operation) => path === "metadata.resourceVersion" && operation?.query?.["resourceVersion"] === "0",
  },
  {
    what: "times that differ by a second",
    why: "the server reads its clock more than once in a request, and its controllers act some milliseconds later",
    explains: ({ path, real, simulated }) =>
      /\.(time|lastTransitionTime|creationTimestamp|deletionTimestamp)$/.test(path) &&
      Math.abs(Date.parse(textOf(real)) - Date.parse(textOf(simulated))) <= 1_000,
  },
  {
    what: "the order of the causes in the sentence of a 422",
    why: "the causes themselves are compared, one by one, as the API server gives them in the details",
    explains: (difference) => difference.path === "message" && texts(difference).every((text) => / is invalid: /.test(text)),
  },
];

function withoutValue(message: string): string {
  if (message.startsWith('Invalid value: "<secret contents redacted>"')) return "redacted";
  if (message.startsWith('Invalid value: "{')) return "patched";
  // Of a pod, what has changed is shown as well.
  return (message.split("\n")[0] ?? "").replace(/^Invalid value: [{[].*[}\]]: /, "");
}

export function listedBy(difference: Difference, operation: Operation | undefined): Listed | undefined {
  return LISTED.find(({ explains }) => explains(difference, operation));
}
