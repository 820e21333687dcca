/** Of all prompts those that are asked with: the others are not bundled. Loaded with the first question. */
export { confirm, input, password, select } from "@inquirer/prompts";
