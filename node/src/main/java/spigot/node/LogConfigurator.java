package spigot.node;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.classic.spi.ConfiguratorRank;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.ConsoleAppender;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.rolling.FixedWindowRollingPolicy;
import ch.qos.logback.core.rolling.RollingFileAppender;
import ch.qos.logback.core.rolling.SizeBasedTriggeringPolicy;
import ch.qos.logback.core.spi.ContextAwareBase;
import ch.qos.logback.core.util.FileSize;

/**
 * Logging without a file to parse, which would take a good part of a short command's time: one line an event, to standard error or
 * to a file of at most 8 MiB and one predecessor. Found by logback as a service.
 *
 * <p>System properties: {@code spigot.log.level} (ERROR, WARN, INFO, DEBUG, TRACE; without it nothing is configured here),
 * {@code spigot.log.file}.
 */
@ConfiguratorRank(ConfiguratorRank.CUSTOM_HIGH_PRIORITY)
public final class LogConfigurator extends ContextAwareBase implements Configurator {
    /** How much is logged. */
    public static final String LEVEL = "spigot.log.level";

    /** Where to. */
    public static final String FILE = "spigot.log.file";

    private static final String PATTERN = "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %-5level %logger{0} %msg%n%ex{short}";
    private static final String FILE_SIZE = "8MB";

    /** What the libraries say below this level is of no use to an operator. */
    private static final Level LIBRARIES = Level.WARN;

    @Override
    public ExecutionStatus configure(LoggerContext context) {
        String level = System.getProperty(LEVEL);
        if (level == null) {
            return ExecutionStatus.INVOKE_NEXT_IF_ANY;
        }
        String file = System.getProperty(FILE);
        OutputStreamAppender<ILoggingEvent> appender = file == null ? toStandardError() : toFile(context, file);
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern(PATTERN);
        encoder.start();
        appender.setContext(context);
        appender.setName("log");
        appender.setEncoder(encoder);
        appender.start();
        Level wanted = Level.toLevel(level, Level.INFO);
        var root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        root.addAppender(appender);
        root.setLevel(wanted.isGreaterOrEqual(LIBRARIES) ? wanted : LIBRARIES);
        context.getLogger("spigot").setLevel(wanted);
        // Ratis tells at WARN what is usual for a group of one.
        context.getLogger("org.apache.ratis").setLevel(wanted.isGreaterOrEqual(Level.INFO) ? Level.ERROR : LIBRARIES);
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }

    private static ConsoleAppender<ILoggingEvent> toStandardError() {
        ConsoleAppender<ILoggingEvent> console = new ConsoleAppender<>();
        console.setTarget("System.err");
        return console;
    }

    private static RollingFileAppender<ILoggingEvent> toFile(LoggerContext context, String file) {
        RollingFileAppender<ILoggingEvent> rolling = new RollingFileAppender<>();
        rolling.setFile(file);
        FixedWindowRollingPolicy window = new FixedWindowRollingPolicy();
        window.setContext(context);
        window.setParent(rolling);
        window.setFileNamePattern(file + ".%i");
        window.setMinIndex(1);
        window.setMaxIndex(1);
        window.start();
        SizeBasedTriggeringPolicy<ILoggingEvent> size = new SizeBasedTriggeringPolicy<>();
        size.setContext(context);
        size.setMaxFileSize(FileSize.valueOf(FILE_SIZE));
        size.start();
        rolling.setRollingPolicy(window);
        rolling.setTriggeringPolicy(size);
        return rolling;
    }
}
