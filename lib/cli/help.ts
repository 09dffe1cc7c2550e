/** What `rxchange --help` says. */
export const HELP = `rxchange: subscriptions that live on a server, as Observables

Usage:
  rxchange demo                 the main job, on two simulated servers of this machine
  rxchange watch ews …          events of mailboxes, as lines of JSON, until Ctrl-C
  rxchange watch ucwa …         presence of contacts, as lines of JSON, until Ctrl-C
  rxchange simulate ews|ucwa …  a simulated server on a port of this machine
  rxchange COMMAND --help       the options of a command
  rxchange --version

Events go to standard output; what is removed from the server, and what goes wrong, to standard error.`;
