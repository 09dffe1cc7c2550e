import '../../shared/style.css';

export const metadata = { title: 'rxchange with Next.js', icons: 'data:,' };

// Rendered for each request.
export const dynamic = 'force-dynamic';

export default function Layout({ children }) {
  return (
    <html lang="en">
      <body>{children}</body>
    </html>
  );
}
