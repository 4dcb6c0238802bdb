/** How much a service may answer. What a vault's name leads to need not be a vault, and a proxy that opens TLS writes what it likes. */
import { following } from "../runtime/lifecycle.ts";
import type { AdditionalPolicy } from "./additional-policy.ts";

/** A value has 25 kB at most, a page of a list 25 objects with their tags. */
export const VAULT_ANSWER_BYTES = 1_048_576;

/** Tokens, and documents that describe an authority, have some kilobytes. */
export const TOKEN_ANSWER_BYTES = 65_536;

/** Host, name and version have 412 characters together. */
const MAX_ID_CHARACTERS = 1_024;

/** Of one object: a rotation every hour makes as many in almost three years. */
const MAX_LISTED_VERSIONS = 25_000;

/** Of the requests of one list of versions together: a thousand pages that a far vault answers in 120 ms each. */
const LONGEST_LIST_MS = 120_000;

/** Its message says by how much. Never leaves this folder. */
export class AnswerTooLarge extends Error {
  override readonly name = "AnswerTooLarge";
}

/** An object with more versions than a list is read for: an answer of a vault in order. Never leaves this folder. */
export class TooManyVersions extends Error {
  override readonly name = "TooManyVersions";
}

/** How long one list of versions has become. The newest may come last: a list that is cut off would show others than a whole one. */
export class ListedVersions {
  #versions = 0;
  #milliseconds = 0;

  /** One page more. Throws {@link TooManyVersions}. */
  add(versions: number, milliseconds: number): void {
    this.#versions += versions;
    this.#milliseconds += milliseconds;
    if (this.#versions > MAX_LISTED_VERSIONS) throw new TooManyVersions(`more than ${MAX_LISTED_VERSIONS} versions`);
    if (this.#milliseconds > LONGEST_LIST_MS)
      throw new TooManyVersions(`more versions than its vault lists in ${LONGEST_LIST_MS / 1000} s`);
  }
}

/** Names and versions are kept, and with them the text of the id that they are parts of. */
export function assertIdSize(id: string | undefined): void {
  if (id !== undefined && id.length > MAX_ID_CHARACTERS) throw new AnswerTooLarge(`more than ${MAX_ID_CHARACTERS} characters in an id`);
}

/**
 * Reads each answer's body up to so many bytes, after decompression, and ends its connection there: the SDK collects whatever comes. Stands
 * behind `requestBoundPolicy`, which bounds the time of the reading.
 */
export function answerSizePolicy(maxBytes: number): AdditionalPolicy {
  return {
    position: "perRetry",
    policy: {
      name: "answerSizePolicy",
      async sendRequest(request, next) {
        const { abortSignal: given, streamResponseStatusCodes } = request;
        const ended = new AbortController();
        // To the SDK: any status.
        request.streamResponseStatusCodes = new Set([Number.POSITIVE_INFINITY]);
        try {
          return await following(given instanceof AbortSignal ? given : undefined, ended, async (abortSignal) => {
            request.abortSignal = abortSignal;
            const response = await next(request);
            if (response.readableStreamBody === undefined) return response;
            response.bodyAsText = await textWithin(response.readableStreamBody, maxBytes);
            delete response.readableStreamBody;
            return response;
          });
        } catch (error) {
          // A body that is not read to its end keeps its connection.
          ended.abort();
          throw error;
        } finally {
          if (given === undefined) delete request.abortSignal;
          else request.abortSignal = given;
          if (streamResponseStatusCodes === undefined) delete request.streamResponseStatusCodes;
          else request.streamResponseStatusCodes = streamResponseStatusCodes;
        }
      },
    },
  };
}

async function textWithin(body: NodeJS.ReadableStream, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      const part = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      bytes += part.byteLength;
      if (bytes > maxBytes) throw new AnswerTooLarge(`more than ${maxBytes / 1024} KiB`);
      chunks.push(part);
    }
  } catch (error) {
    if (error instanceof AnswerTooLarge) throw error;
    throw new BodyUnreadable();
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** With the SDK's code for a body that breaks off or cannot be decompressed. */
class BodyUnreadable extends Error {
  override readonly name = "BodyUnreadable";
  readonly code = "PARSE_ERROR";

  constructor() {
    super("the body of a response cannot be read");
  }
}
