// Loaded before the worker (`--import`): a value that ends the process as soon as it comes from the vault, as one would that takes all memory.
const BOMB = "a value that ends the process";

class EncodeOrDie extends TextEncoder {
  override encode(text?: string): Uint8Array<ArrayBuffer> {
    if (text === BOMB) process.kill(process.pid, "SIGKILL");
    return super.encode(text);
  }
}

globalThis.TextEncoder = EncodeOrDie;
