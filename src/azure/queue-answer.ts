/** What the answer of a queue may be made of. The SDK's parser of XML makes objects of whatever comes, on the one thread that there is. */

import type { AdditionalPolicy } from "./additional-policy.ts";
import { AnswerTooLarge } from "./answer-size.ts";
import { NotTheService } from "./queue-errors.ts";

/** 32 messages of 64 KiB, and the elements around them. More is asked for again, a few messages at a time. */
export const QUEUE_ANSWER_BYTES = 2_621_440;

/** Two for each of 16 elements of 32 messages; a message has eight. */
const MOST_TAGS = 1_024;

/** The longest that the service writes is the one that says that the answer is XML. It writes no attribute anywhere else. */
const TAG_CHARACTERS = 256;

/** A message of 64 KiB, each character as a reference of six. */
const TEXT_CHARACTERS = 393_216;

/**
 * Refuses an answer that is not built as the service builds them, before it is parsed. Of one that reports an error nothing but its status and
 * its headers is used, so that its body is dropped. Stands before the policy that reads bodies.
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
    // No further than a tag may reach: the next one may be at the end of the answer.
    const length = xml.slice(start, start + TAG_CHARACTERS).indexOf(">");
    if (length === -1) throw new NotTheService();
    end = start + length + 1;
  }
  if (xml.length - end > TEXT_CHARACTERS) throw new NotTheService();
}
