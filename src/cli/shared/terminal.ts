import { stripVTControlCharacters, styleText } from "node:util";

export type Colour = "bold" | "red" | "green" | "yellow" | "cyan";

/** Text in a colour of the terminal's own palette, until {@link shown} takes it away. */
export function paint(colour: Colour, text: string): string {
  return styleText(colour, text, { validateStream: false });
}

/** Painted text as it goes to standard output. */
export function shown(painted: string, { hasColour }: { readonly hasColour: boolean }): string {
  return hasColour ? painted : stripVTControlCharacters(painted);
}

/** Others' texts: control characters would move a terminal's cursor. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
}

/** Says what is under way. */
export type TellProgress = (what: string) => void;

export interface Progress {
  readonly tell: TellProgress;
  /** Leaves nothing on the screen. */
  readonly end: () => void;
}

export const NO_PROGRESS: Progress = { tell: () => undefined, end: () => undefined };

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
export function createProgress({ write, columns, quietMs = QUIET_MS }: ProgressOptions): Progress {
  let [what, isShown, isEnded] = ["", false, false];
  const draw = (): void => write(`${CLEAR}${`… ${what}`.slice(0, Math.max(1, columns - 1))}`);
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
