/** Name under which the worker owns fields. Names are forever: another one would leave the fields of the old one behind. */
export const FIELD_MANAGER = "keyvault-injector-sync";
