import { isRestError } from "@azure/keyvault-secrets";
import { valueAt } from "../domain/json-members.ts";
import { isJsonObject, parsedJson } from "../domain/json-object.ts";
import type { AdditionalPolicy } from "./additional-policy.ts";
import { AnswerTooLarge } from "./answer-size.ts";
import { CallTimeout } from "./bounded-call.ts";
import { networkCode, retryAfterIn } from "./service-answer.ts";

/** Result of the last request of a sign-in, if the sign-in cannot use it. For most failures, the SDK reports only that there was one. */
export interface SignInTrace {
  /** No response in time, or a response that is too large. */
  readonly unusable?: CallTimeout | AnswerTooLarge;
  /** Node's code of a failure below HTTP. */
  readonly code?: string | undefined;
  readonly status?: number | undefined;
  /** Such as `AADSTS90002`. */
  readonly entraCode?: string | undefined;
  /** OAuth's word for an error, such as `invalid_client`. It shows that the response is not a page of a proxy. */
  readonly refusal?: string | undefined;
  /** Pause in milliseconds that the response asks for. */
  readonly retryAfterMs?: number | undefined;
}

/** Holder of a sign-in's trace. Sign-ins of one identity run one at a time, except for different audiences. */
export interface TraceHolder {
  trace: SignInTrace;
}

const REFUSAL = /^[a-z]+(?:_[a-z]+)*$/;

/** Members of the responses that a sign-in needs: the token, and the two documents that describe an authority. */
const MEMBERS = ["access_token", "issuer", "tenant_discovery_endpoint"];

type Answer = Awaited<ReturnType<AdditionalPolicy["policy"]["sendRequest"]>>;

function ofAnswer({ status, bodyAsText, headers }: Answer): SignInTrace {
  const body = bodyAsText ?? "";
  const parsed = parsedJson(body);
  if (status < 400 && isJsonObject(parsed) && MEMBERS.some((member) => Object.hasOwn(parsed, member))) return {};
  const word = valueAt(parsed, ["error"]);
  return {
    status,
    entraCode: /AADSTS\d{2,9}/.exec(body)?.[0],
    refusal: typeof word === "string" && REFUSAL.test(word) ? word : undefined,
    retryAfterMs: retryAfterIn(headers),
  };
}

function ofFailure(error: unknown): SignInTrace {
  if (isUnusable(error)) return { unusable: error };
  // The SDK throws for a body that is not the JSON that its header claims, although there is a response.
  return isRestError(error) && error.response !== undefined ? ofAnswer(error.response) : { code: networkCode(error) };
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
          holder.trace = ofAnswer(response);
          return response;
        } catch (error) {
          holder.trace = ofFailure(error);
          throw error;
        }
      },
    },
  };
}
