/** Limits for the size of responses. The name of a vault need not lead to a vault, and a proxy that opens TLS can send anything. */
import { following } from "../runtime/lifecycle.ts";
import type { AdditionalPolicy } from "./additional-policy.ts";

/** A value has 25 kB at most. A page of a list has 25 objects with their tags. */
export const VAULT_ANSWER_BYTES = 1_048_576;

/** Tokens, and documents that describe an authority, have a few kilobytes. */
export const TOKEN_ANSWER_BYTES = 65_536;

/** Host, name and version have 412 characters together. */
const MAX_ID_CHARACTERS = 1_024;

/** Versions of one object: with a rotation every hour, this many take almost three years. */
const MAX_LISTED_VERSIONS = 25_000;

/**
 * Time limit in milliseconds for all requests of one list of versions: enough for a thousand pages that a distant vault returns in 120 ms
 * each.
 */
const LONGEST_LIST_MS = 120_000;

/** Its message names the limit. Never leaves this folder. */
export class AnswerTooLarge extends Error {
  override readonly name = "AnswerTooLarge";
}

/** An object has more versions than the worker reads from a list. The vault's response itself is valid. Never leaves this folder. */
export class TooManyVersions extends Error {
  override readonly name = "TooManyVersions";
}

/** Size of one list of versions so far. The newest version may come last: a truncated list would show other versions than a whole one. */
export class ListedVersions {
  #versions = 0;
  #milliseconds = 0;

  /** Adds one page. Throws {@link TooManyVersions}. */
  add(versions: number, milliseconds: number): void {
    this.#versions += versions;
    this.#milliseconds += milliseconds;
    if (this.#versions > MAX_LISTED_VERSIONS) throw new TooManyVersions(`more than ${MAX_LISTED_VERSIONS} versions`);
    if (this.#milliseconds > LONGEST_LIST_MS)
      throw new TooManyVersions(`more versions than its vault lists in ${LONGEST_LIST_MS / 1000} s`);
  }
}

/**
 * Throws {@link AnswerTooLarge} if an id is too long. The worker keeps names and versions, and with them the text of the id that contains
 * them.
 */
export function assertIdSize(id: string | undefined): void {
  if (id !== undefined && id.length > MAX_ID_CHARACTERS) throw new AnswerTooLarge(`more than ${MAX_ID_CHARACTERS} characters in an id`);
}

/**
 * Reads the body of each response up to `maxBytes`, after decompression, and then ends the connection; the SDK would collect whatever
 * arrives. Comes after `requestBoundPolicy`, which limits the time of the read.
 */
export function answerSizePolicy(maxBytes: number): AdditionalPolicy {
  return {
    position: "perRetry",
    policy: {
      name: "answerSizePolicy",
      async sendRequest(request, next) {
        const { abortSignal: given, streamResponseStatusCodes } = request;
        const ended = new AbortController();
        // For the SDK, this value means any status.
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
          // A body that is not read to its end keeps its connection open.
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

/** Has the SDK's code for a body that breaks off or cannot be decompressed. */
class BodyUnreadable extends Error {
  override readonly name = "BodyUnreadable";
  readonly code = "PARSE_ERROR";

  constructor() {
    super("the body of a response cannot be read");
  }
}
