import type { ReadableText } from "./document-texts.ts";
import { DocumentBuilder } from "./document-value.ts";
import { readJsonEvents } from "./json-events.ts";
import { readYamlEvents } from "./yaml-events.ts";

/** Reads the text of one document; throws a `DocumentError` where kubectl could not. */
export function readText({ kind, text }: ReadableText): DocumentBuilder {
  const builder = new DocumentBuilder();
  if (kind === "json") {
    readJsonEvents(text, builder.add);
    return builder;
  }
  const unread = readYamlEvents(text, builder.add);
  if (unread !== undefined) builder.warn(unread, "kubectl reads nothing from here to the next ---");
  return builder;
}
