/** The program of a decoding thread: it receives tasks and answers them, one after the other. Started by `decoding-threads.ts`. */
import { parentPort } from "node:worker_threads";
import type { Parts } from "../../domain/content/take-apart.ts";
import { type DecodingAnswer, type DecodingTask, performDecoding, valuesOf } from "../../domain/decoding.ts";
import { pki } from "../pki.ts";
import { buffersOf, type ThreadMessage } from "./thread-message.ts";

const processorMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
};

/** Copies the parts into buffers of their own, which can be handed over, and clears the originals. */
function movable(parts: Parts): Parts {
  return parts.map((part) => {
    if (!part.ok) return part;
    const value = Uint8Array.from(part.value);
    part.value.fill(0);
    return { ok: true, value };
  });
}

function answerTo(task: DecodingTask): DecodingAnswer {
  const answer = performDecoding(task, pki);
  const moved = answer.kind === "parts" ? { ...answer, parts: movable(answer.parts) } : answer;
  for (const value of valuesOf(task)) value.fill(0);
  return moved;
}

function perform(task: DecodingTask): ThreadMessage {
  const before = processorMs();
  try {
    return { kind: "answer", answer: answerTo(task), ran: processorMs() - before };
  } catch (error) {
    const [name, stack = ""] = error instanceof Error ? [error.name, error.stack] : [typeof error];
    return { kind: "bug", name, frames: stack.split("\n").filter((line) => /^\s+at /.test(line)) };
  }
}

function partsIn(message: ThreadMessage): Parts {
  return message.kind === "answer" && message.answer.kind === "parts" ? message.answer.parts : [];
}

parentPort?.on("message", (task: DecodingTask) => {
  const message = perform(task);
  parentPort?.postMessage(message, buffersOf(partsIn(message).flatMap((part) => (part.ok ? [part.value] : []))));
});
