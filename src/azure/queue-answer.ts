/** Limits for the content of a queue's response. The SDK's XML parser creates objects from anything that arrives, on the only thread. */

import type { AdditionalPolicy } from "./additional-policy.ts";
import { AnswerTooLarge } from "./answer-size.ts";
import { NotTheService } from "./queue-errors.ts";

/** 32 messages of 64 KiB, and the elements around them. If a response is larger, the worker asks again for a few messages at a time. */
export const QUEUE_ANSWER_BYTES = 2_621_440;

/** Two for each of 16 elements of 32 messages. A message has eight elements. */
const MOST_TAGS = 1_024;

/** The longest tag that the service writes is the XML declaration. It writes no attributes in any other tag. */
const TAG_CHARACTERS = 256;

/** A message of 64 KiB, each character as a reference of six. */
const TEXT_CHARACTERS = 393_216;

/**
 * Rejects a response that does not have the service's structure before it is parsed. Of an error response, the worker uses only the status
 * and the headers, so its body is dropped. Must precede the policy that reads bodies.
 */
export const queueAnswerPolicy: AdditionalPolicy = {
  position: "perRetry",
  policy: {
    name: "queueAnswerPolicy",
    async sendRequest(request, next) {
      const response = await next(request);
      if (response.status >= 300) response.bodyAsText = "<Error/>";
      else assertShape(response.bodyAsText ?? "");
      return response;
    },
  },
};

function assertShape(xml: string): void {
  let tags = 0;
  let end = 0;
  for (let start = xml.indexOf("<"); start !== -1; start = xml.indexOf("<", end)) {
    tags += 1;
    if (tags > MOST_TAGS) throw new NotTheService();
    if (start - end > TEXT_CHARACTERS) throw new AnswerTooLarge(`more than ${TEXT_CHARACTERS / 1024} KiB in one message`);
    // Searches no further than a tag may reach: the next `>` may be at the end of the response.
    const length = xml.slice(start, start + TAG_CHARACTERS).indexOf(">");
    if (length === -1) throw new NotTheService();
    end = start + length + 1;
  }
  if (xml.length - end > TEXT_CHARACTERS) throw new NotTheService();
}
