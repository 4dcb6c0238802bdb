/** The caller asked for something impossible; the message names the field and the fix. Never carries a value. */
export class EmulatorInputError extends Error {
  override readonly name = "EmulatorInputError";
}
