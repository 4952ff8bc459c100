/** What operators see over HTTP: metrics, health, status. */
@NullMarked
package spigot.node.http;

import org.jspecify.annotations.NullMarked;
