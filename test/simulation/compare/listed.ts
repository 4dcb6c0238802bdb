import { objectAt, textOf } from "../api/json.ts";
import { SHIPPED_POLICIES } from "../api/policies.ts";
import type { Difference } from "./difference.ts";
import { type Answers, bodyOf } from "./exchange.ts";
import type { Operation } from "./operation.ts";

/** A difference that remains, with the reason. */
export interface Listed {
  readonly what: string;
  readonly why: string;
  readonly explains: (difference: Difference, context: Context) => boolean;
}

/** Place at which the comparison found a difference. */
export interface Context {
  /** Undefined for a difference at the end of a batch. */
  readonly operation: Operation | undefined;
  readonly answers: Answers | undefined;
  /** Maximum delay in milliseconds of actions that the real server takes by itself. */
  readonly lagMs: number;
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
    explains: ({ path }, { operation }) => path === "metadata.resourceVersion" && operation?.query?.["resourceVersion"] === "0",
  },
  {
    what: "times that differ by a second, or by the lag of the real controllers where those write",
    why: "the server reads its clock more than once in a request, and its controllers act when the machine lets them",
    explains: ({ path, real, simulated }, { lagMs }) =>
      /\.(time|lastTransitionTime|creationTimestamp|deletionTimestamp|expirationTimestamp)$/.test(path) &&
      Math.abs(Date.parse(textOf(real)) - Date.parse(textOf(simulated))) <= lagMs,
  },
  {
    what: "the status of a CRD while an object holds its deletion up, and the version by it",
    why: "its controller tries again every few seconds, and each try is a write: when one comes is a matter of real time",
    explains: ({ path }, { answers }) =>
      answers !== undefined &&
      isGoingDefinition(answers) &&
      /^(status\.conditions\[\d+\]\.\w+|metadata\.resourceVersion|metadata\.managedFields\[\d+\]\.time)$/.test(path),
  },
  {
    what: "which of two policies answers where both refuse",
    why: "the server walks its policies in no order; operations that one of them refuses are compared in its words",
    explains: ({ path }, { operation, answers }) =>
      answers !== undefined &&
      operation !== undefined &&
      /^(status|message|reason|code|details\.causes\[0\]\.message)$/.test(path) &&
      isRefusedByTwo(operation, answers),
  },
  {
    what: "the token of an account",
    why: "each server signs with a key of its own, and the simulated one does not sign; what was asked for and until when it lasts is compared",
    explains: ({ path, real, simulated }) =>
      path === "status.token" && [real, simulated].every((token) => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(textOf(token))),
  },
  {
    what: "the order of the causes in the sentence of a 422",
    why: "the causes themselves are compared, one by one, as the API server gives them in the details",
    explains: (difference) => difference.path === "message" && texts(difference).every((text) => / is invalid: /.test(text)),
  },
];

/** Whether the servers name different policies that both apply to the request. */
function isRefusedByTwo({ place, subresource }: Operation, { real, simulated }: Answers): boolean {
  const resource = `${place.plural}${place.group === "" ? "" : `.${place.group}`}${subresource === undefined ? "" : `/${subresource}`}`;
  const [one, other] = [real, simulated].map((answer) => {
    const named = /is forbidden: ValidatingAdmissionPolicy '([\w-]+)'/.exec(textOf(bodyOf(answer)["message"]))?.[1];
    return SHIPPED_POLICIES.find(({ name, resources }) => name === named && resources.includes(resource));
  });
  return one !== undefined && other !== undefined && one !== other;
}

/** Whether both servers show a CRD that is being deleted. */
function isGoingDefinition({ real, simulated }: Answers): boolean {
  return [real, simulated].every((answer) => {
    const body = bodyOf(answer);
    return body["kind"] === "CustomResourceDefinition" && objectAt(body, "metadata")["deletionTimestamp"] !== undefined;
  });
}

function withoutValue(message: string): string {
  if (message.startsWith('Invalid value: "<secret contents redacted>"')) return "redacted";
  if (message.startsWith('Invalid value: "{')) return "patched";
  // For a pod, the following lines show what changed.
  return (message.split("\n")[0] ?? "").replace(/^Invalid value: [{[].*[}\]]: /, "");
}

export function listedBy(difference: Difference, context: Context): Listed | undefined {
  return LISTED.find(({ explains }) => explains(difference, context));
}
