import { valueAt } from "../domain/json-members.ts";
import { parsedJson } from "../domain/json-object.ts";
import type { AdditionalPolicy } from "./additional-policy.ts";
import { AnswerTooLarge } from "./answer-size.ts";
import { CallTimeout } from "./bounded-call.ts";
import { networkCode } from "./service-answer.ts";

/** Result of the last request of a sign-in, if it failed. For most failures, the SDK reports only that there was one. */
export interface SignInTrace {
  /** No response in time, or a response that is too large. */
  readonly unusable?: CallTimeout | AnswerTooLarge;
  /** Node's code of a failure below HTTP. */
  readonly code?: string | undefined;
  readonly status?: number;
  /** Such as `AADSTS90002`. */
  readonly entraCode?: string | undefined;
  /** OAuth's word for a refusal, such as `invalid_client`. It shows that the response is not a page of a proxy. */
  readonly refusal?: string | undefined;
}

/** Holder of a sign-in's trace. Sign-ins of one identity run one at a time, except for different audiences. */
export interface TraceHolder {
  trace: SignInTrace;
}

const REFUSAL = /^[a-z]+(?:_[a-z]+)*$/;

function ofAnswer(status: number, body: string | null | undefined): SignInTrace {
  const word = valueAt(parsedJson(body ?? ""), ["error"]);
  const isRefusal = status < 500 && status !== 429 && typeof word === "string" && REFUSAL.test(word);
  return { status, entraCode: /AADSTS\d{2,9}/.exec(body ?? "")?.[0], refusal: isRefusal ? word : undefined };
}

export function isUnusable(error: unknown): error is CallTimeout | AnswerTooLarge {
  return error instanceof CallTimeout || error instanceof AnswerTooLarge;
}

export function tracePolicy(holder: TraceHolder): AdditionalPolicy {
  return {
    position: "perCall",
    policy: {
      name: "signInTracePolicy",
      async sendRequest(request, next) {
        holder.trace = {};
        try {
          const response = await next(request);
          if (response.status >= 400) holder.trace = ofAnswer(response.status, response.bodyAsText);
          return response;
        } catch (error) {
          holder.trace = isUnusable(error) ? { unusable: error } : { code: networkCode(error) };
          throw error;
        }
      },
    },
  };
}
