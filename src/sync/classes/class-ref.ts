export { keyOf, refOf } from "../../domain/object-key.ts";
