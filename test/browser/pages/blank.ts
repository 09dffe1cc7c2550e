/** Another page. */
export {};
