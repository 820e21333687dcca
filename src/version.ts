/** The version of the package, put into the bundle when it is built. */
export { version } from "../package.json";
