import { stripVTControlCharacters, styleText } from "node:util";

export type Colour = "bold" | "red" | "green" | "yellow" | "cyan";

/** Control characters move a terminal's cursor, or end the line; marks of direction show text in another order than it has. */
const OBEYED = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu;
const OBEYED_OR_BLANK = /[\p{Cc}\p{Cs}\p{Bidi_Control}\s]+/gu;

/** Others' text within a line of ours: a long run of blanks would begin a line of the terminal, too. */
export function oneLine(text: string): string {
  return text.replaceAll(OBEYED_OR_BLANK, " ").trim();
}

/** A line for the terminal. Only the functions of this file make one, and each cleans what it puts in, so that no control character is in it but colours of ours. */
class CleanLine {
  readonly #painted: string;

  constructor(painted: string) {
    this.#painted = painted;
  }

  /** With colours. */
  get painted(): string {
    return this.#painted;
  }

  /** Without colours. */
  get text(): string {
    return stripVTControlCharacters(this.#painted);
  }
}

export type Line = CleanLine;

/** What a line is made of: text, which is cleaned, or what has been. */
export type TerminalPart = string | number | Line;

function cleaned(part: TerminalPart): string {
  return typeof part === "object" ? part.painted : oneLine(`${part}`);
}

/** The template's own text as it is, and what is put into it cleaned. */
export function line(texts: TemplateStringsArray, ...parts: readonly TerminalPart[]): Line {
  return new CleanLine(texts.map((text, index) => (index === 0 ? text : `${cleaned(parts[index - 1] ?? "")}${text}`)).join(""));
}

/** In a colour of the terminal's own palette, until {@link shown} takes it away. */
export function paint(colour: Colour, part: TerminalPart): Line {
  return new CleanLine(styleText(colour, cleaned(part), { validateStream: false }));
}

/** With blanks up to so many characters. */
export function padded(part: TerminalPart, width: number): Line {
  const clean = line`${part}`;
  return new CleanLine(`${clean.painted}${" ".repeat(Math.max(0, width - clean.text.length))}`);
}

export function joined(parts: readonly TerminalPart[], separator: ", " | "  "): Line {
  return new CleanLine(parts.map(cleaned).join(separator));
}

/** One line in which blanks mean something, such as one of YAML: they stay. */
export function verbatim(text: string): Line {
  return new CleanLine(text.replaceAll(OBEYED, " "));
}

/** Lines as they go to standard output. */
export function shown(lines: readonly Line[], { hasColour }: { readonly hasColour: boolean }): string {
  return lines.map(({ painted, text }) => `${hasColour ? painted : text}\n`).join("");
}

/** Says what is under way. */
export type TellProgress = (what: string) => void;

export interface TerminalProgress {
  readonly tell: TellProgress;
  /** Leaves nothing on the screen. */
  readonly end: () => void;
}

export const NO_PROGRESS: TerminalProgress = { tell: () => undefined, end: () => undefined };

/** A command that is done sooner says nothing (milliseconds). */
const QUIET_MS = 1_000;

/** Back to the start of the line, and empty it. */
const CLEAR = "\r\u001b[K";

export interface ProgressOptions {
  readonly write: (text: string) => void;
  /** Of the terminal: a longer text would leave a line behind. */
  readonly columns: number;
  readonly quietMs?: number;
}

/** One line of a terminal that is written over, once a command takes longer than a second. For standard error: results have the other stream. */
export function createProgress({ write, columns, quietMs = QUIET_MS }: ProgressOptions): TerminalProgress {
  let [what, isShown, isEnded] = ["", false, false];
  const draw = (): void => write(`${CLEAR}${`… ${oneLine(what)}`.slice(0, Math.max(1, columns - 1))}`);
  const timer = setTimeout(() => {
    isShown = true;
    if (what !== "") draw();
  }, quietMs);
  timer.unref();
  return {
    tell: (next) => {
      what = next;
      if (isShown && !isEnded) draw();
    },
    end: () => {
      clearTimeout(timer);
      if (isShown && !isEnded) write(CLEAR);
      isEnded = true;
    },
  };
}
