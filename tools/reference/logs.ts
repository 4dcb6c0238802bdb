/** The page of logs. Messages, levels and fields come from the calls in the sources. */
import { logCalls } from "./log-calls.ts";
import { INFORMATION, type LogWords, WARNINGS } from "./log-words.ts";
import { assertExplained, code, type Places, table } from "./page.ts";

interface Row {
  /** Level and message. */
  readonly key: string;
  readonly cells: (fields: readonly string[]) => readonly string[];
}

export function logPlaces(): Places {
  const fields = new Map<string, Set<string>>();
  for (const { level, message, fields: own } of logCalls()) {
    const key = `${level} ${message}`;
    fields.set(key, new Set([...(fields.get(key) ?? []), ...own]));
  }
  const [warnings, information] = [rowsOf(WARNINGS), rowsOf(INFORMATION)];
  const keys = [...warnings, ...information].map(({ key }) => key);
  assertExplained(keys, [...fields.keys()], "tools/reference/log-words.ts");
  const made = (rows: readonly Row[]): string =>
    table(
      ["Level", "Message", "Process", "Fields", "Meaning, and what to do"],
      rows.map(({ key, cells }) => cells([...(fields.get(key) ?? [])])),
    );
  return { warnings: made(warnings), information: made(information) };
}

function rowsOf(words: LogWords): readonly Row[] {
  return Object.entries(words).flatMap(([level, processes]) =>
    Object.entries(processes).flatMap(([process, messages]) =>
      Object.entries(messages).map(([message, means]) => ({
        key: `${level} ${message}`,
        cells: (fields: readonly string[]) => [code(level), code(message), process, code(...fields), means],
      })),
    ),
  );
}
