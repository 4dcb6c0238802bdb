/** Error for impossible input. The message names the field and the fix, and never contains a secret value. */
export class EmulatorInputError extends Error {
  override readonly name = "EmulatorInputError";
}
