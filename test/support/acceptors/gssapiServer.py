"""An HTTPS server that signs connections in with GSSAPI and checks the channel binding. Prints its port.

Arguments: certificate and key (PEM), scheme (NTLM or Negotiate), application data of the binding in hexadecimal.
"""
import base64
import http.server
import ssl
import sys

import gssapi

CERTIFICATE, KEY, SCHEME, BINDING = sys.argv[1:5]
MECH = '1.3.6.1.4.1.311.2.2.10' if SCHEME == 'NTLM' else '1.3.6.1.5.5.2'
CREDENTIALS = gssapi.Credentials(usage='accept', mechs=[gssapi.OID.from_int_seq(MECH)])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    context = None
    is_signed_in = False

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get('content-length', 0)))
        scheme, _, data = self.headers.get('authorization', '').partition(' ')
        if data and scheme == SCHEME:
            self.sign_in(base64.b64decode(data), body)
        elif self.is_signed_in:
            self.reply(200, None, body)
        else:
            self.reply(401, SCHEME)

    def sign_in(self, token, body):
        self.is_signed_in = False
        if self.context is None or self.context.complete:
            bindings = gssapi.raw.ChannelBindings(application_data=bytes.fromhex(BINDING))
            self.context = gssapi.SecurityContext(
                creds=CREDENTIALS, usage='accept', channel_bindings=bindings if BINDING else None)
        try:
            response = self.context.step(token)
            self.is_signed_in = self.context.complete
        except Exception as error:
            print(str(error).replace('\n', ' '), file=sys.stderr, flush=True)
            self.context = None
            return self.reply(401, SCHEME)
        challenge = SCHEME + ' ' + base64.b64encode(response).decode() if response else None
        self.reply(200 if self.is_signed_in else 401, challenge, body)

    def reply(self, status, challenge, body=b''):
        self.send_response(status)
        if challenge:
            self.send_header('WWW-Authenticate', challenge)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
tls.load_cert_chain(CERTIFICATE, KEY)
server.socket = tls.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
